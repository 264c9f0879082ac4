// SPDX-License-Identifier: Apache-2.0
import type { Now } from '#core/ports/keys.ts'
import { checkUpload, type Uploads } from '#core/ports/uploads.ts'
import type { UploadSigner } from './clients/signed-upload.ts'
import { translate } from './errors.ts'
import { blobName } from './objects.ts'

/**
 * Largest upload: what a function of 2,048 MB appends, which holds the object more than twice while it reads, checks and stores it.
 * Blob Storage itself takes 5,000 MiB in one request.
 */
export const AZURE_UPLOAD_BYTES = 64 * 1024 * 1024

/**
 * Uploads into a container by shared access signatures that let a blob be created and never replaced. Blob Storage signs neither
 * length nor hash: whoever uses the bytes checks both, as the port says. What is larger than it should be stays until it is swept.
 */
export function azureUploads(signer: UploadSigner, now: Now): Uploads {
  return {
    maxBytes: AZURE_UPLOAD_BYTES,
    offer: async (name, terms) => {
      checkUpload(name, terms, AZURE_UPLOAD_BYTES)
      // A signature has whole seconds.
      const expiresOn = new Date(Math.floor(terms.expiresMs / 1000) * 1000)
      if (!(expiresOn.getTime() > now())) throw new RangeError('an upload expires later than now')
      const url = await translate('blob', () => signer.sign(blobName(name), expiresOn))
      const headers = {
        'content-type': 'application/octet-stream',
        'if-none-match': '*',
        'x-ms-blob-type': 'BlockBlob',
      }
      return { method: 'PUT', url, headers }
    },
    admit: async () => null,
  }
}
