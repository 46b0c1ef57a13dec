/** Buying makes a subscription and a tenant, so it takes both permissions. */
export function canBuy(permissions: readonly string[]): boolean {
  return permissions.includes('billing.manage') && permissions.includes('tenants.create')
}
