// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import type { Ports } from '#core/ports/needs.ts'
import { stateOf } from '#core/server/cosign/state.ts'
import type { Home } from '#core/server/home.ts'
import { loadTree, provedTree } from '#core/server/sequence/tree.ts'
import { LOG_PARTITION, PUBLISHED_KEY } from '#core/server/store/log.ts'
import type { role } from './role.ts'

/**
 * The newest time that the stores of a home know to have been, in milliseconds: that of its committed tree, or that since
 * which the quorum stands behind what is published. 0 where they know none, or cannot be read: whoever uses them says so.
 */
export async function newestKnownMs(
  ports: Pick<Ports<(typeof role)['needs']>, 'tables' | 'keys'>,
  home: Pick<Home, 'verifiers'>,
  policy: Policy | null,
): Promise<number> {
  const { checkpoints } = ports.tables
  const signed = async () => {
    const loaded = await loadTree(checkpoints)
    // Only what the log's keys vouch for: whoever can write the row could else have all wait.
    return loaded ? (await provedTree(ports, home, loaded.tree)).signedAt : 0
  }
  const witnessed = async () => {
    const row = policy && (await checkpoints.get(LOG_PARTITION, PUBLISHED_KEY))
    return (row && (await stateOf(home, policy, row, Infinity)).since) ?? 0
  }
  return 1000 * Math.max(...(await Promise.all([orZero(signed), orZero(witnessed)])))
}

async function orZero(read: () => Promise<number>): Promise<number> {
  try {
    return await read()
  } catch (error) {
    if (isAmpereError(error)) return 0
    throw error
  }
}
