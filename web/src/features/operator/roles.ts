/** Each may do what those before it may. */
export const OPERATOR_ROLES = ['viewer', 'support', 'admin'] as const
export type OperatorRoleName = (typeof OPERATOR_ROLES)[number]

export function may(role: string, needed: OperatorRoleName): boolean {
  return OPERATOR_ROLES.findIndex((known) => known === role) >= OPERATOR_ROLES.indexOf(needed)
}
