/** Text that is safe between tags and in quoted attributes. */
export function escape(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (letter) => entities[letter] ?? letter)
}

/** Descriptions know paragraphs and `code`, nothing else. */
export function words(text: string | undefined): string {
  return (text ?? '')
    .split(/\n\s*\n/)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => `<p>${inline(paragraph)}</p>`)
    .join('')
}

export function inline(text: string): string {
  return escape(text.trim()).replace(/`([^`]+)`/g, '<code>$1</code>')
}
