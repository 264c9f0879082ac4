// SPDX-License-Identifier: Apache-2.0
import type { DeploymentId, Digest, Kid } from '../bytes/ids.ts'
import { timestampMs } from '../bytes/timestamp.ts'
import type { RegistryHead } from '../block/block.ts'
import { isViolation, type Violation } from '../block/violation.ts'
import type { KeyOf } from '../block/open-block.ts'
import type { Verifiers } from '../crypto/signature.ts'
import { AmpereError } from '../errors.ts'
import { openRegistryBlock, type OpenedRegistryBlock } from './block.ts'
import { recordKey, type RegistryRecord } from './records.ts'
import { applyRegistryBlock, type RegistryLink } from './reduce.ts'
import type { RegistryView } from './snapshot.ts'

interface Version {
  readonly height: number
  readonly record: RegistryRecord
}
interface Step {
  readonly id: Digest
  readonly timeMs: number
}

/** The registry at every height, verified block by block from the pinned genesis. */
export interface RegistryHistory {
  /** Id of the registry: its genesis block's id, which the installation pins. */
  readonly pinned: Digest
  /** Height of the newest block, -1 while empty. */
  height(): number
  /** Verifies and adds the next block. @throws AmpereError VERIFICATION_FAILED, SIGNATURE_INVALID */
  add(compact: string): Promise<OpenedRegistryBlock>
  /** The registry as of a head that some block names; null when this history has no such head. */
  readonly viewAt: (head: RegistryHead) => RegistryView | null
  /** The newest view. @throws AmpereError NOT_FOUND while empty */
  newest(): RegistryView
  /** When the head at `height` was followed by another, in ms since 1970; null while it is the newest. */
  supersededAt(height: number): number | null
  /** Height of the block that first put a record under a key; null where none did. */
  since(key: string): number | null
  /** When the suspension of a key was lifted last, in ms since 1970; null where none was, or it is revoked again. */
  reinstatedAt(kid: Kid): number | null
  /** The homes that the registry had, in order; where it is at home now is last. */
  homes(): readonly DeploymentId[]
  /** The newest link, for judging the next block; null while empty. */
  link(): RegistryLink | null
  /** The key behind a `kid`, at whatever height it was certified. */
  readonly keyOf: KeyOf
}

/** An empty history that accepts only the registry whose genesis is `pinned`. */
export function createRegistryHistory(pinned: Digest, verifiers: Verifiers): RegistryHistory {
  const steps: Step[] = []
  const versions = new Map<string, Version[]>()
  let link: RegistryLink | null = null
  const keyOf: KeyOf = (kid: Kid) => {
    const record = versions.get(`key/${kid}`)?.[0]?.record
    return record?.kind === 'key' ? record.jwk : null
  }
  const viewAt = (head: RegistryHead): RegistryView | null =>
    steps[head.height]?.id === head.id
      ? { registry: pinned, head, get: (key) => versionAt(versions.get(key), head.height) }
      : null
  return {
    pinned,
    height: () => steps.length - 1,
    keyOf,
    viewAt,
    link: () => link,
    newest: () => {
      const last = steps.at(-1)
      const view = last ? viewAt({ height: steps.length - 1, id: last.id }) : null
      if (!view) throw new AmpereError('NOT_FOUND', 'the registry is empty')
      return view
    },
    supersededAt: (height) => steps[height + 1]?.timeMs ?? null,
    since: (key) => versions.get(key)?.[0]?.height ?? null,
    reinstatedAt: (kid) => steps[liftedAt(versions.get(`key/${kid}`)) ?? -1]?.timeMs ?? null,
    homes: () =>
      (versions.get('rules') ?? []).flatMap(({ record }) => (record.kind === 'rules' ? [record.home] : [])),
    add: async (compact) => {
      const opened = await openRegistryBlock(compact, keyOf, verifiers)
      if (steps.length === 0 && opened.id !== pinned) {
        throw new AmpereError(
          'VERIFICATION_FAILED',
          'rule registry: the registry is another than the pinned one',
        )
      }
      const applied = applyRegistryBlock(link, opened)
      if (isViolation(applied)) throw broken(applied, steps.length)
      const height = steps.length
      for (const record of applied.changed) {
        const key = recordKey(record)
        versions.set(key, [...(versions.get(key) ?? []), { height, record }])
      }
      link = applied
      steps.push({ id: opened.id, timeMs: timestampMs(opened.block.time) })
      return opened
    },
  }
}

function broken({ rule, detail }: Violation, height: number): AmpereError {
  return new AmpereError('VERIFICATION_FAILED', `rule ${rule}: the registry at height ${height}: ${detail}`)
}

function versionAt(versions: readonly Version[] | undefined, height: number): RegistryRecord | null {
  return versions?.findLast((version) => version.height <= height)?.record ?? null
}

/** The record of a key is put when it is entered, revoked and reinstated, and by nothing else. */
function liftedAt(versions: readonly Version[] = []): number | null {
  const last = versions.at(-1)
  const isLifted = versions.length > 1 && last?.record.kind === 'key' && last.record.revoked === null
  return isLifted ? last.height : null
}
