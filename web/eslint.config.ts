import pluginVue from 'eslint-plugin-vue'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/client', 'screenshots/out'] },
  ...tseslint.configs.strict,
  ...pluginVue.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
  },
  {
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/block-order': ['error', { order: ['script', 'template'] }],
      'vue/define-macros-order': 'error',
      'vue/no-v-html': 'error',
      // A component that nobody imported is drawn as nothing.
      'vue/no-undef-components': 'error',
      'vue/require-explicit-emits': 'error',
      'vue/require-default-prop': 'off',
      // Inline style attributes are refused by the page's content security policy.
      'vue/no-static-inline-styles': 'error',
      // Formatting is prettier's.
      'vue/html-self-closing': 'off',
      'vue/html-indent': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/html-closing-bracket-newline': 'off',
    },
  },
  { files: ['tools/**', 'mock/**', 'screenshots/**', 'e2e/**'], rules: { 'no-console': 'off' } },
)
