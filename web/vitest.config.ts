import { defineConfig, mergeConfig } from 'vitest/config'
import vite from './vite.config.ts'

export default mergeConfig(
  vite,
  defineConfig({
    test: {
      environment: 'happy-dom',
      include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'reference/**/*.test.ts'],
      setupFiles: ['test/setup.ts'],
      // The first test of a file waits for everything that it imports, and the machine may be busy.
      testTimeout: 20_000,
    },
  }),
)
