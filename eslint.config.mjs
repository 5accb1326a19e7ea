import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import reactHooks from 'eslint-plugin-react-hooks';
import * as jsonc from 'jsonc-eslint-parser';
import tseslint from 'typescript-eslint';

/** The stages of the pipeline, each above those that it may know. */
const STAGES = [
  'domain',
  'host',
  'render',
  'reconcile',
  'wiring',
  'adopt',
  'pipeline',
  'check',
  'review',
  'prompts',
  'generators',
  'executors',
  'migrations',
  'cli',
];

/** A stage imports only stages below it, and those only by their door. */
const boundaries = STAGES.map((stage, index) => {
  const above = STAGES.slice(index + 1);
  const others = STAGES.filter((other) => other !== stage);
  return {
    files: [`packages/plugin/src/${stage}/**/*.ts`],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...(above.length > 0
              ? [
                  {
                    regex: `^(?:\\.\\./)+(?:${above.join('|')})(?:/|$)`,
                    message: `"${stage}" stands below these stages of the pipeline.`,
                  },
                ]
              : []),
            {
              regex: `^(?:\\.\\./)+(?:${others.filter((other) => other !== 'generators').join('|')})/(?!index\\.js$)`,
              message: 'A stage is entered by its index.ts.',
            },
            ...(stage === 'domain' || stage === 'render'
              ? [{ regex: '^@nx/|^nx($|/)', message: `"${stage}" knows nothing of Nx.` }]
              : []),
          ],
        },
      ],
    },
  };
});

const SOURCES = ['**/*.{ts,tsx,mts,cts,js,mjs,cjs}'];

export default tseslint.config(
  {
    ignores: [
      '**/dist',
      '**/node_modules',
      '.nx',
      '**/tmp',
      'test-artifacts',
      '**/coverage',
      '**/vitest.config.*.timestamp*',
      // Written with every fault that the rules find.
      'packages/eslint-plugin/test/{recipe,seed}',
    ],
  },
  ...tseslint.configs.recommended.map((config) => ({ ...config, files: SOURCES })),
  {
    // A parameter that only states the signature to override or to pass begins with `_`.
    files: SOURCES,
    rules: { '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }] },
  },
  {
    // Emitted code is held to `recommended` alone, as hosts are. Nest's injection needs value imports.
    files: SOURCES,
    ignores: [
      'packages/plugin/{templates,test/golden}/**',
      'packages/{nest,react}/src/**',
      'packages/nest/test/**',
    ],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
      'object-shorthand': 'error',
      'prefer-template': 'error',
    },
  },
  { files: ['scripts/**', 'e2e/**', 'packages/plugin/src/cli/**'], rules: { 'no-console': 'off' } },
  {
    files: [
      'packages/plugin/templates/web/**',
      'packages/plugin/test/golden/**/web/**',
      'packages/react/src/**',
    ],
    plugins: { 'react-hooks': reactHooks },
    rules: { ...reactHooks.configs.recommended.rules },
  },
  {
    // What a page holds is in what createRealtime returns: a test runner may load the package twice.
    files: ['packages/react/src/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...['', 'ExportNamedDeclaration > '].flatMap((place) => [
          {
            selector: `Program > ${place}VariableDeclaration[kind='let']`,
            message: 'A module of this package holds no state.',
          },
          {
            selector: `Program > ${place}VariableDeclaration > VariableDeclarator > NewExpression[arguments.length=0]`,
            message: 'A module of this package holds no state.',
          },
        ]),
      ],
    },
  },
  {
    files: ['packages/react/src/core/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^react(?:$|-dom|/)', message: 'The core knows no React.' },
            { regex: '/react/', message: 'The core knows no React.' },
          ],
        },
      ],
    },
  },
  { files: ['**/*.js', '**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  {
    files: ['packages/*/package.json', 'packages/*/{generators,executors,migrations}.json'],
    languageOptions: { parser: jsonc },
    plugins: { '@nx': nx },
    rules: { '@nx/nx-plugin-checks': 'error' },
  },
  ...boundaries,
  prettier,
);
