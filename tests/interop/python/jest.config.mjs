import base from '../../../jest.config.mjs'

/** The tests that need Python; `npm test` leaves them out, `npm run test:python` runs them. */
export default {
  ...base,
  rootDir: '../../..',
  testMatch: ['<rootDir>/tests/interop/python/**/*.test.ts', '<rootDir>/tests/interop/python-tlog/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 120_000,
}
