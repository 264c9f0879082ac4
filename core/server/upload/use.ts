// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { maxObjectBytes } from '../../block/entries-object.ts'
import { sha256Large } from '../../crypto/hash.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { ReadTable } from '../../ports/table.ts'
import type { EndPorts } from './needs.ts'
import { endOffers, loadOffers, noteUsed, uploadName, type Offer } from './offers.ts'

/**
 * The upload that an append names, if its author may append it to this chain now.
 * @throws AmpereError NOT_FOUND for one that is unknown, of somebody else or for another chain, ALREADY_EXISTS for one that
 *   was appended, GONE for one that expired, BLOCK_REFUSED for one that is larger than the block says
 */
export async function findUpload(
  { tables, now }: { readonly tables: { readonly quotas: ReadTable }; readonly now: () => number },
  owner: string,
  { chain, block }: ParsedBlock,
  upload: string,
): Promise<Offer> {
  const found = (await loadOffers(tables.quotas, owner)).offers.find(({ id }) => id === upload)
  if (!found || found.chain !== chain)
    throw new AmpereError('NOT_FOUND', 'who signed the block has no such upload for this chain')
  if (found.used !== null) throw new AmpereError('ALREADY_EXISTS', 'the upload was appended by another block')
  if (found.ending || now() >= found.untilMs)
    throw new AmpereError('GONE', 'the upload has expired: ask for it again')
  if (block.entries === null || found.bytes > maxObjectBytes(block.entries))
    throw new AmpereError('BLOCK_REFUSED', 'append: the upload is larger than the entries of the block')
  return found
}

/**
 * The bytes of an upload, which are those that it was offered for: a store may have taken others. Such are removed, so that
 * the upload can be asked for anew.
 * @throws AmpereError PRECONDITION_FAILED while nothing was uploaded, BLOCK_REFUSED for other bytes
 */
export async function fetchUpload(
  ports: EndPorts,
  owner: string,
  { id, bytes, sha256 }: Offer,
): Promise<Uint8Array> {
  const object = await ports.objects.uploads.fetch(uploadName(owner, id), { start: 0, end: bytes + 1 })
  if (!object)
    throw new AmpereError('PRECONDITION_FAILED', 'nothing was uploaded yet: put the bytes there first')
  if (object.length === bytes && toBase64url(await sha256Large(object)) === sha256) return object
  await endOffers(ports, owner, (one) => one.id === id)
  throw new AmpereError('BLOCK_REFUSED', 'append: the uploaded bytes are not those that it was offered for')
}

/**
 * Notes that a committed block has an upload's object, and removes what was uploaded. The block is durable whatever comes of
 * this: what cannot be removed now is swept when the upload expires.
 */
export async function settleUpload(
  ports: EndPorts,
  owner: string,
  upload: string,
  { id }: ParsedBlock,
): Promise<void> {
  try {
    await noteUsed(ports, owner, upload, id)
  } catch (error) {
    if (!isAmpereError(error)) throw error
  }
}
