// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import { sha256Large } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import type { AdmittedUpload } from '../../ports/uploads.ts'
import type { ReceivePorts, TakePorts } from './needs.ts'
import { loadOffers, parseUploadName } from './offers.ts'

/** What came of an upload. */
export interface Received {
  readonly upload: string
  readonly bytes: number
  /** False when these bytes were there already. */
  readonly isNew: boolean
}

/**
 * Takes an upload in, where the home does that itself, exactly as it was signed.
 * @throws AmpereError FORBIDDEN for a URL that was not signed here, GONE for one that expired or whose upload is over,
 *   VERIFICATION_FAILED for other bytes; then nothing is stored
 */
export async function receiveUpload(ports: ReceivePorts, url: URL, body: Uint8Array): Promise<Received> {
  const admitted = await admit(ports, url)
  if (!(await isOpen(ports, admitted.name))) throw over()
  const received = await storeAdmitted(ports, admitted, body)
  // It may have ended while the bytes came in: whoever ended it found no object.
  if (!(await isOpen(ports, admitted.name))) {
    await ports.objects.uploads.shred(admitted.name)
    throw over()
  }
  return received
}

/** What the port promises and no more: whatever was signed is taken in. */
export async function takeUpload(ports: TakePorts, url: URL, body: Uint8Array): Promise<Received> {
  return storeAdmitted(ports, await admit(ports, url), body)
}

async function admit({ uploads, now }: TakePorts, url: URL): Promise<AdmittedUpload> {
  const admitted = (await uploads?.admit(url)) ?? null
  if (!admitted) throw new AmpereError('FORBIDDEN', 'the URL was not signed here: ask for an upload again')
  if (now() > admitted.expiresMs)
    throw new AmpereError('GONE', 'the URL has expired: ask for the upload again')
  return admitted
}

async function storeAdmitted(
  { objects }: TakePorts,
  { name, bytes, sha256 }: AdmittedUpload,
  body: Uint8Array,
): Promise<Received> {
  if (body.length !== bytes || toBase64url(await sha256Large(body)) !== sha256)
    throw new AmpereError('VERIFICATION_FAILED', 'the bytes are not those that the upload was offered for')
  return {
    upload: parseUploadName(name).id,
    bytes,
    isNew: (await objects.uploads.store(name, body)) === 'stored',
  }
}

async function isOpen({ tables: { quotas } }: ReceivePorts, name: string): Promise<boolean> {
  const { owner, id } = parseUploadName(name)
  const found = (await loadOffers(quotas, owner)).offers.find((one) => one.id === id)
  return found !== undefined && found.used === null && !found.ending
}

function over(): AmpereError {
  return new AmpereError('GONE', 'the upload was appended or is over: ask for it again')
}
