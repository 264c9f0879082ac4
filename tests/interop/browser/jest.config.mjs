import base from '../../../jest.config.mjs'

/** The tests that need a browser; `npm test` leaves them out, `npm run test:browser` runs them. */
export default {
  ...base,
  rootDir: '../../..',
  testMatch: ['<rootDir>/tests/interop/browser/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 60_000,
}
