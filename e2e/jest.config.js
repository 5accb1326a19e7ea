module.exports = {
  ...require('../jest.preset.js'),
  rootDir: __dirname,
  // One long test after another; a real build or install may take minutes.
  testTimeout: 600_000,
  setupFilesAfterEnv: ['<rootDir>/support/after-file.ts'],
  globalSetup: '<rootDir>/support/global-setup.ts',
};
