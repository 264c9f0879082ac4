import base from '../../../jest.config.mjs'

/** The tests that need Go; `npm test` leaves them out, `npm run test:go` runs them. */
export default {
  ...base,
  rootDir: '../../..',
  testMatch: ['<rootDir>/tests/interop/go/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // One file builds the programs, the others find them built.
  maxWorkers: 1,
  testTimeout: 180_000,
}
