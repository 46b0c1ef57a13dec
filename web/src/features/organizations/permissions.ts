/** Whether somebody with these permissions may change how the organization itself works. */
export function canManage(permissions: readonly string[]): boolean {
  return permissions.includes('organization.manage')
}
