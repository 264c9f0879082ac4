import { availableParallelism } from 'node:os'

/** What fails every call, damages every part, or tries very many inputs: `npm run test:long`, in CI. */
export const LONG = [
  'tests/cli/deployment/folder.test.ts',
  'tests/cli/others/mirror-servers.test.ts',
  'tests/cli/others/second-witness.test.ts',
  'tests/cli/records/looks.test.ts',
  'tests/cli/witness/demo.test.ts',
  'tests/core/bridge/hostile-sizes.test.ts',
  'tests/core/bridge/hostile.test.ts',
  'tests/core/client/hostile-home.test.ts',
  'tests/core/client/opened-budget.test.ts',
  'tests/core/crypto/signature-vectors.test.ts',
  'tests/core/log/fuzz.test.ts',
  'tests/core/seal/strictness.test.ts',
  'tests/core/server/audit/log/bundles.test.ts',
  'tests/core/server/audit/log/damage.test.ts',
  'tests/core/server/audit/log/findings.test.ts',
  'tests/core/server/audit/log/slices.test.ts',
  'tests/core/server/cosign/freshness.test.ts',
  'tests/core/server/mirror/faults.test.ts',
  'tests/core/server/sequence/faults.test.ts',
  'tests/core/server/sequence/marks/marks.test.ts',
  'tests/core/server/sequence/model/trace/trace.test.ts',
  'tests/core/server/sweep/sweep-races.test.ts',
  'tests/e2e/hostile-mirror.test.ts',
  'tests/e2e/malicious/answers/flips.test.ts',
  'tests/e2e/malicious/answers/http.test.ts',
  'tests/e2e/malicious/flips.test.ts',
  'tests/e2e/malicious/large-log.test.ts',
  'tests/e2e/malicious/promise.test.ts',
  'tests/fault/every-call.test.ts',
  'tests/fault/first-steps.test.ts',
  'tests/http/fuzz/fuzz.test.ts',
  'tests/property/schedule.test.ts',
]

/** Node 24 strips the types; nothing is compiled and no build output exists that could be stale. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/tests/bench/', '<rootDir>/tests/interop/', ...LONG],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/tests/strip-types.mjs' },
  // Half of the cores, the default, is one worker on a machine of two; tests wait for disks and WebCrypto's pool as well.
  maxWorkers: Math.ceil(1.5 * availableParallelism()),
  testTimeout: 30_000,
}
