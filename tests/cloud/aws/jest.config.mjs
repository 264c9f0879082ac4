import base from '../../../jest.config.mjs'

/** The tests that need emulators; `npm test` leaves them out, `npm run test:aws` runs them. */
export default {
  ...base,
  rootDir: '../../..',
  testMatch: ['<rootDir>/tests/cloud/aws/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/tests/cloud/aws/emulators/start.mjs',
  globalTeardown: '<rootDir>/tests/cloud/aws/emulators/stop.mjs',
  testTimeout: 120_000,
}
