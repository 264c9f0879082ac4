// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { BlockId } from '../../bytes/ids.ts'
import { blockId, chainId, count, digest, parseWith } from '../../bytes/schema.ts'
import { uploadId } from '../../api/large/upload.ts'
import { AmpereError } from '../../errors.ts'
import type { ReadTable } from '../../ports/table.ts'
import type { EndPorts, OffersPorts } from './needs.ts'

/** Partition of the table `quotas` with the uploads of each owner; no chain has such an id. */
export const UPLOADS_PARTITION = 'uploads'
/** Uploads that were appended and are remembered, per owner: to tell that one was used from one that never was. */
const MAX_USED = 64
/** How often a row is looked at again because another process changed it first. */
const MAX_TRIES = 50

const offer = v.strictObject({
  id: uploadId,
  chain: chainId,
  bytes: count,
  sha256: digest,
  /** Until when it may be appended, in milliseconds. */
  untilMs: count,
  /** The block that brought it into its chain. */
  used: v.nullable(blockId),
  /** It is being removed: nobody may append it any more, and its object may be there still. */
  ending: v.boolean(),
})
/** One upload as it was offered. */
export type Offer = v.InferOutput<typeof offer>
const offersRow = v.strictObject({ v: v.literal(1), offers: v.array(offer) })

/** Under which name the bytes of an upload lie: whose it is, and its id. */
export function uploadName(owner: string, id: string): string {
  return `${owner}.${id}`
}

/** The inverse of `uploadName`: neither part has a full stop. */
export function parseUploadName(name: string): { readonly owner: string; readonly id: string } {
  const [owner = '', id = ''] = name.split('.')
  return { owner, id }
}

/** The uploads of one owner, an institution's id or a device's key id. @throws AmpereError STORE_CORRUPT */
export async function loadOffers(
  quotas: ReadTable,
  owner: string,
): Promise<{ readonly offers: readonly Offer[]; readonly version: string | null }> {
  const row = await quotas.get(UPLOADS_PARTITION, owner)
  return row ? { offers: parseOffers(row.value), version: row.version } : { offers: [], version: null }
}

/** @throws AmpereError STORE_CORRUPT */
export function parseOffers(value: Uint8Array): readonly Offer[] {
  try {
    return parseWith(offersRow, JSON.parse(fromUtf8(value)), 'STORE_CORRUPT', 'uploads').offers
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'the uploads of an owner were changed', { cause })
  }
}

/**
 * Changes the uploads of an owner by compare and swap, however many processes do so; `change` gives null where nothing is
 * to be changed, and may be called again.
 * @throws AmpereError STORE_UNAVAILABLE when others are always first
 */
export async function changeOffers(
  { tables: { quotas } }: OffersPorts,
  owner: string,
  change: (offers: readonly Offer[]) => readonly Offer[] | null,
): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const { offers, version } = await loadOffers(quotas, owner)
    const next = change(offers)
    if (next === null || (next.length === 0 && version === null)) return
    const value = next.length === 0 ? null : utf8(JSON.stringify({ v: 1, offers: next }))
    if ((await quotas.swap(UPLOADS_PARTITION, owner, version, value)) !== null) return
  }
  throw new AmpereError('STORE_UNAVAILABLE', 'others change the same uploads all the time')
}

/**
 * Removes the uploads of an owner that `isOver` names, with what was uploaded. First none of them can be appended any more,
 * then the objects go, then the rows: whoever is killed in between, the next one goes on.
 * @returns how many were removed
 */
export async function endOffers(
  ports: EndPorts,
  owner: string,
  isOver: (offer: Offer) => boolean,
): Promise<number> {
  const isEnding = (one: Offer) => one.ending || isOver(one)
  await changeOffers(ports, owner, (offers) =>
    offers.some((one) => !one.ending && isOver(one))
      ? offers.map((one) => (isEnding(one) ? { ...one, ending: true } : one))
      : null,
  )
  const { offers } = await loadOffers(ports.tables.quotas, owner)
  const gone = new Set(offers.flatMap((one) => (one.ending ? [one.id] : [])))
  if (gone.size === 0) return 0
  for (const id of gone) await ports.objects.uploads.shred(uploadName(owner, id))
  await changeOffers(ports, owner, (now) => now.filter(({ id }) => !gone.has(id)))
  return gone.size
}

/** Notes that an upload was appended; its object lies with the block now. */
export async function noteUsed(
  ports: EndPorts,
  owner: string,
  upload: string,
  block: BlockId,
): Promise<void> {
  await changeOffers(ports, owner, (offers) => {
    if (!offers.some(({ id, used }) => id === upload && used === null)) return null
    const noted = offers.map((one) => (one.id === upload ? { ...one, used: block } : one))
    const tooMany = noted.filter(({ used }) => used !== null).slice(0, -MAX_USED)
    return noted.filter((one) => !tooMany.includes(one))
  })
  await ports.objects.uploads.shred(uploadName(owner, upload))
}
