import { computed, ref } from 'vue'

export type ColorMode = 'system' | 'light' | 'dark'

const KEY = 'tenantry.color-mode'
const systemDark = window.matchMedia('(prefers-color-scheme: dark)')

function stored(): ColorMode {
  try {
    const value = window.localStorage.getItem(KEY)
    return value === 'light' || value === 'dark' ? value : 'system'
  } catch {
    // Storage may be forbidden; the system's preference is as good.
    return 'system'
  }
}

const mode = ref<ColorMode>(stored())

/** Sets the class that the style sheet looks for, now and whenever the system's preference changes. */
export function applyColorMode(): void {
  const paint = () => {
    const dark = mode.value === 'dark' || (mode.value === 'system' && systemDark.matches)
    document.documentElement.classList.toggle('dark', dark)
    document.documentElement.classList.toggle('light', !dark)
  }
  systemDark.addEventListener('change', paint)
  repaint = paint
  paint()
}

let repaint: () => void = () => undefined

export function useColorMode() {
  return {
    mode: computed(() => mode.value),
    setMode(next: ColorMode): void {
      mode.value = next
      try {
        window.localStorage.setItem(KEY, next)
      } catch {
        // It lasts for this page only, then.
      }
      repaint()
    },
  }
}
