// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import type { Digest } from '../../bytes/ids.ts'
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import type { StoreObjects } from '../../ports/objects.ts'
import { largeName, partName, type Manifest } from './format/manifest.ts'
import { decodePart, encodePart, type Item, type Part, type Totals } from './format/part.ts'
import { BEGINNING, comparePlaces, type Place } from './format/place.ts'
import type { Step } from './walk.ts'

/** Collects steps into parts, and stores each once it is full. */
export interface PartWriter {
  /** Takes a step. @returns true when a part was stored */
  add(step: Step): Promise<boolean>
  flush(): Promise<void>
  /** Where the part after the last stored one begins. */
  next(): Place
  totals(): Totals
  parts(): Manifest['parts']
}

/** Goes on behind what earlier runs stored. @throws AmpereError STORE_CORRUPT */
export async function openWriter(to: StoreObjects, backup: Digest, partBytes: number): Promise<PartWriter> {
  const { parts, ...last } = await storedParts(to, backup)
  let { next, totals } = last
  let [at, counted] = [next, totals]
  let [items, pending]: [Item[], number] = [[], 0]
  const flush = async (): Promise<void> => {
    if (comparePlaces(at, next) === 0) return
    const before = parts.at(-1)?.hash ?? null
    const bytes = encodePart({ backup, before, from: next, next: at, totals: counted, items })
    await storePart(to, parts.length, bytes)
    parts.push({ bytes: bytes.length, hash: digestOf(bytes), from: next })
    ;[next, totals, items, pending] = [at, counted, [], 0]
  }
  return {
    add: async (step) => {
      for (const item of step.items) {
        items.push(item.kind === 'large' ? await storeLarge(to, item) : item)
        pending += item.bytes.length
      }
      ;[at, counted] = [step.next, plus(counted, step)]
      if (pending < partBytes) return false
      await flush()
      return true
    },
    flush,
    next: () => next,
    totals: () => totals,
    parts: () => parts,
  }
}

function plus(totals: Totals, { items, counts }: Step): Totals {
  const objects = items.filter(({ kind }) => kind === 'object' || kind === 'large').length
  return {
    chains: totals.chains + counts.chains,
    blocks: totals.blocks + counts.blocks,
    objects: totals.objects + objects,
    logFiles: totals.logFiles + counts.logFiles,
  }
}

async function storeLarge(to: StoreObjects, { kind, name, bytes }: Item): Promise<Item> {
  const [chain = '', root = ''] = name.split('/')
  await to.store(largeName(chain, root), bytes)
  return { kind, name, bytes: new Uint8Array(0) }
}

/** Whoever stored another part in its place is at work here, too. */
async function storePart(to: StoreObjects, index: number, bytes: Uint8Array): Promise<void> {
  if ((await to.store(partName(index), bytes)) === 'stored') return
  const there = await to.fetch(partName(index))
  if (!there || !equalBytes(there, bytes))
    throw new AmpereError('ALREADY_EXISTS', 'another run writes this backup: repeat it, and it goes on')
}

/** What earlier runs stored: each part says what was before it. @throws AmpereError STORE_CORRUPT */
async function storedParts(
  to: StoreObjects,
  backup: Digest,
): Promise<{ readonly parts: Manifest['parts']; readonly next: Place; readonly totals: Totals }> {
  const parts: Manifest['parts'] = []
  let last: Part | null = null
  for (;;) {
    const bytes = await to.fetch(partName(parts.length))
    if (!bytes) break
    const part = decodePart(bytes)
    const follows = comparePlaces(part.from, last?.next ?? BEGINNING) === 0
    if (part.backup !== backup || part.before !== (parts.at(-1)?.hash ?? null) || !follows)
      throw new AmpereError('STORE_CORRUPT', 'a part of the backup is of another one, or was changed')
    parts.push({ bytes: bytes.length, hash: digestOf(bytes), from: part.from })
    last = part
  }
  const totals = last?.totals ?? { chains: 0, blocks: 0, objects: 0, logFiles: 0 }
  return { parts, next: last?.next ?? BEGINNING, totals }
}
