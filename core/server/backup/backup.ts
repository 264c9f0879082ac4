// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../bytes/ids.ts'
import { toTimestamp, timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import type { Now } from '../../ports/keys.ts'
import type { StoreObjects } from '../../ports/objects.ts'
import type { HomeSource } from '../copy/source.ts'
import type { Home } from '../home.ts'
import {
  BEGIN_NAME,
  encodeBegin,
  encodeManifest,
  MANIFEST_NAME,
  parseBegin,
  parseManifest,
  type Begin,
} from './format/manifest.ts'
import type { Totals } from './format/part.ts'
import { openWriter } from './part-writer.ts'
import { walkHome } from './walk.ts'

/** A part is written once it has so many bytes; the objects that are files of their own count, too. */
export const PART_BYTES = 4 * 1024 * 1024

/** What a backup is made of. */
export interface BackedUpHome extends Pick<Home, 'deployment' | 'origin' | 'backupDays'> {
  /** Id of its registry. */
  readonly registry: Digest
}

/** How a backup is made. */
export interface BackupOptions {
  /** Is told what is in it so far, after each part. */
  readonly progress?: (totals: Totals) => void
  /** Asked before each step; false ends this run, and the next one goes on. */
  readonly goesOn?: () => boolean
  readonly partBytes?: number
}

/** What came of a run. */
export interface BackupReport {
  readonly totals: Totals
  /** What was acknowledged before this time is in it. */
  readonly time: Timestamp
  readonly expires: Timestamp
  /** SHA-256 of the manifest, which names all parts: kept apart, it tells a backup from any other. Null while it is not whole. */
  readonly digest: Digest | null
  /** True where an earlier run had begun it. */
  readonly resumed: boolean
}

/**
 * Backs a home up into an empty store, or goes on with what an earlier run left there. All that is written is immutable:
 * first what the backup is of, then parts in order, each once it is full, last the manifest that makes it whole. What is
 * in a part is not read again. A home may be written meanwhile: the checkpoint is taken first, chains are read to their ends
 * later, so none is behind the log. What is in it is neither verified nor opened: a restore verifies all of it.
 * @throws AmpereError ALREADY_EXISTS for a store with a backup of another home, or another run in it; GONE for one that has
 * expired; NOT_FOUND while the home has published no log; CONFIGURATION where it states that no backups are made; STORE_CORRUPT
 * for a home, or a backup, that is damaged
 */
export async function backupHome(
  source: HomeSource,
  to: StoreObjects,
  home: BackedUpHome,
  now: Now,
  options: BackupOptions = {},
): Promise<BackupReport> {
  const { begin, id, isNew } = await beginning(source, to, home, now)
  const made = isNew ? null : await to.fetch(MANIFEST_NAME)
  const about = { time: begin.time, expires: begin.expires, resumed: !isNew }
  if (made) return { ...about, totals: parseManifest(made).totals, digest: digestOf(made) }
  const writer = await openWriter(to, id, options.partBytes ?? PART_BYTES)
  for await (const step of walkHome(source, writer.next(), begin.checkpoint)) {
    if (await writer.add(step)) options.progress?.(writer.totals())
    if (step.next.stage === 'end' || options.goesOn?.() !== false) continue
    await writer.flush()
    return { ...about, totals: writer.totals(), digest: null }
  }
  await writer.flush()
  const totals = writer.totals()
  const parts = writer.parts()
  const manifest = encodeManifest({ v: 1, backup: id, time: toTimestamp(now()), totals, parts: [...parts] })
  await to.store(MANIFEST_NAME, manifest)
  const kept = (await to.fetch(MANIFEST_NAME)) ?? manifest
  return { ...about, totals: parseManifest(kept).totals, digest: digestOf(kept) }
}

interface Beginning {
  readonly begin: Begin
  /** Of the bytes of `begin`: every part names it. */
  readonly id: Digest
  readonly isNew: boolean
}

async function beginning(
  source: HomeSource,
  to: StoreObjects,
  { deployment, origin, registry, backupDays }: BackedUpHome,
  now: Now,
): Promise<Beginning> {
  const there = await to.fetch(BEGIN_NAME)
  if (there) return { ...checked(there, { deployment, origin, registry }, now()), isNew: false }
  if (backupDays < 1)
    throw new AmpereError('CONFIGURATION', 'this home states of what it erases that no backup has it')
  const time = toTimestamp(now())
  const checkpoint = await source.checkpoint()
  if (checkpoint === null) throw new AmpereError('NOT_FOUND', 'the home has published no log yet')
  const expires = toTimestamp(now() + backupDays * 86_400_000)
  const bytes = encodeBegin({ v: 1, deployment, origin, registry, checkpoint, time, expires })
  if ((await to.store(BEGIN_NAME, bytes)) === 'stored')
    return { begin: parseBegin(bytes), id: digestOf(bytes), isNew: true }
  const first = (await to.fetch(BEGIN_NAME)) ?? bytes
  return { ...checked(first, { deployment, origin, registry }, now()), isNew: false }
}

function checked(
  bytes: Uint8Array,
  { deployment, origin, registry }: Pick<Begin, 'deployment' | 'origin' | 'registry'>,
  nowMs: number,
): Omit<Beginning, 'isNew'> {
  const begin = parseBegin(bytes)
  if (begin.deployment !== deployment || begin.origin !== origin || begin.registry !== registry)
    throw new AmpereError('ALREADY_EXISTS', 'there is a backup of another home')
  if (timestampMs(begin.expires) < nowMs)
    throw new AmpereError('GONE', 'the backup that is there has expired: it is to be removed')
  return { begin, id: digestOf(bytes) }
}
