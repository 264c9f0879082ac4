import { availableParallelism } from 'node:os'

/** Node 24 strips the types; nothing is compiled and no build output exists that could be stale. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/tests/bench/', '<rootDir>/tests/interop/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/tests/strip-types.mjs' },
  // Half of the cores, the default, is one worker on a machine of two; tests wait for disks and WebCrypto's pool as well.
  maxWorkers: Math.ceil(1.5 * availableParallelism()),
  testTimeout: 30_000,
}
