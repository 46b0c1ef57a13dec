/** A session as a table shows it: to its own person, or to an operator who looks after them. */
export interface SessionRow {
  id: string
  kind: string
  /** What the browser or program says it is. */
  device: string
  address?: string | null
  created_at: string
  last_used_at: string
  current?: boolean
  /** The operator who looks through it. */
  operator_email?: string | null
}
