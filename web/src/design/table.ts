export interface Column {
  key: string
  label: string
  align?: 'start' | 'end'
  /** For a column of buttons: its name is for screen readers only. */
  hideLabel?: boolean
}
