// SPDX-License-Identifier: Apache-2.0
import type { EvidenceSink } from '#core/client/client.ts'
import type { Settings } from '../deployment/settings.ts'
import { pinnedLogs } from '../open/policy.ts'
import { keepMonitored } from './monitor.ts'
import { keepWitnessed } from './witness.ts'

/** Verifier keys of logs that a data folder trusts, by what it trusts them for. */
export interface TrustedLogs {
  /** Of the log of its own home. */
  readonly own: readonly string[]
  /** Of logs that its home cosigns as a witness. */
  readonly witnessed: readonly string[]
  /** Of logs that its home monitors. */
  readonly monitored: readonly string[]
}

/**
 * The keys that the operator of a data folder entered or accepted. Reads beside a running server.
 * @param keep gets what the home found against those logs meanwhile; nothing is kept where it is left out
 */
export async function trustedLogs(
  folder: string,
  settings: Settings,
  keep: EvidenceSink = async () => '',
): Promise<TrustedLogs> {
  const witnessed = await keepWitnessed(folder, keep)
  const monitored = await keepMonitored(folder, keep)
  return { own: pinnedLogs(folder, settings), witnessed, monitored }
}

/** All keys, each once or more. */
export function keysOf({ own, witnessed, monitored }: TrustedLogs): readonly string[] {
  return [...own, ...witnessed, ...monitored]
}

/** Why a key is trusted, to be read behind its name. */
export function whose({ own, witnessed, monitored }: TrustedLogs, key: string): string {
  if (own.includes(key)) return "this folder's home"
  if (witnessed.includes(key)) return 'a log that is cosigned here'
  return monitored.includes(key) ? 'a log that is monitored here' : 'given with --log'
}
