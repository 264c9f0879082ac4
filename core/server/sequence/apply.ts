// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../../bytes/canonical-json.ts'
import { equalBytes } from '../../bytes/frame.ts'
import { AmpereError } from '../../errors.ts'
import type { StoreObjects } from '../../ports/objects.ts'
import { heightKey } from '../store/rows.ts'
import type { SequencerPorts } from './needs.ts'
import { decodeStaging, type LogFile, type LoggedRun, type Staging } from './staging.ts'
import { publish, type Tree } from './tree.ts'

/** Rows that are written at the same time. */
export const PARALLEL_ROWS = 256

/**
 * Makes true what a commit promised: its tiles, bundles and which blocks it logged are stored together, then it is
 * published. Until then nobody reads them, so their order does not matter; nor does that of the bundle before, whose
 * promise was kept before this commit. Each step may be repeated by anyone at any time; it is what recovery does as well.
 * @returns false when the staging bundle is gone: somebody has done all this and committed again
 * @throws AmpereError STORE_CORRUPT when the log's store holds something else under a name
 */
export async function apply(ports: SequencerPorts, tree: Tree, staged?: Staging): Promise<boolean> {
  if (tree.staging !== null) {
    const staging = staged ?? (await fetchStaging(ports, tree.staging))
    if (!staging) return false
    await Promise.all([
      discardBefore(ports, tree),
      ...staging.files.map((file) => storeFile(ports, file)),
      noteRuns(ports, staging.runs),
    ])
  }
  await publish(ports.tables.checkpoints, tree)
  return true
}

async function discardBefore({ objects }: SequencerPorts, { discard }: Tree): Promise<void> {
  if (discard !== null) await objects.staging.shred(discard)
}

async function noteRuns(ports: SequencerPorts, runs: readonly LoggedRun[]): Promise<void> {
  for (let at = 0; at < runs.length; at += PARALLEL_ROWS)
    await Promise.all(runs.slice(at, at + PARALLEL_ROWS).map((run) => noteLogged(ports, run)))
}

/**
 * Stores bytes that are the only ones that may have this name.
 * @returns false when they were there and are gone again
 * @throws AmpereError STORE_CORRUPT when it has others
 */
export async function storeSame(objects: StoreObjects, name: string, bytes: Uint8Array): Promise<boolean> {
  if ((await objects.store(name, bytes)) === 'stored') return true
  const there = await objects.fetch(name)
  if (there && !equalBytes(there, bytes))
    throw new AmpereError('STORE_CORRUPT', 'the log holds something else where a part of it belongs')
  return there !== null
}

async function storeFile({ objects }: SequencerPorts, { path, bytes }: LogFile): Promise<void> {
  if (!(await storeSame(objects.log, path, bytes)))
    throw new AmpereError('STORE_CORRUPT', 'a part of the log was removed')
}

async function fetchStaging({ objects }: SequencerPorts, name: string): Promise<Staging | null> {
  const bytes = await objects.staging.fetch(name)
  return bytes && decodeStaging(bytes)
}

async function noteLogged(
  { tables }: SequencerPorts,
  { chain, from, count, index }: LoggedRun,
): Promise<void> {
  await tables.leaves.insert(chain, heightKey(from), canonicalBytes({ v: 1, count, index }))
}
