// Jest runs the ES modules as they are: NODE_OPTIONS=--experimental-vm-modules, which scripts/test.js sets.
export default {
  testEnvironment: 'node',
  testMatch: ['**/__tests__/**/*.test.js'],
  transform: {},
  testTimeout: 30_000,
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/bench/node_modules/'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/build/'],
};
