// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, isBase64url, toBase64url, utf8 } from '../bytes/encoding.ts'
import { checkUpload, type AdmittedUpload, type Uploads, type UploadTerms } from '../ports/uploads.ts'

/** Below which path a home takes uploads itself. */
export const UPLOADS_PATH = '/v1/uploads'
/** Largest upload that a home takes itself: as much as one append, because it holds all of it in memory. */
export const HOME_UPLOAD_BYTES = 32 * 1024 * 1024

/**
 * Uploads that the home itself takes: the terms stand in the URL under an HMAC-SHA-256 (RFC 2104) with a key of this
 * process, so that nothing is kept at rest that could sign.
 */
export function homeUploads(secret: Uint8Array<ArrayBuffer>): Uploads {
  const importing = crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ])
  return {
    maxBytes: HOME_UPLOAD_BYTES,
    offer: async (name, terms) => {
      checkUpload(name, terms, HOME_UPLOAD_BYTES)
      const signature = await crypto.subtle.sign('HMAC', await importing, signedText({ name, ...terms }))
      const query = new URLSearchParams({
        bytes: String(terms.bytes),
        sha256: terms.sha256,
        expires: String(terms.expiresMs),
        signature: toBase64url(new Uint8Array(signature)),
      })
      return {
        method: 'PUT',
        url: `${UPLOADS_PATH}/${name}?${query.toString()}`,
        headers: { 'content-type': 'application/octet-stream' },
      }
    },
    admit: async (url) => {
      const said = termsIn(url)
      if (!said) return null
      const { signature, ...admitted } = said
      // WebCrypto compares in constant time.
      const isOurs = await crypto.subtle.verify('HMAC', await importing, signature, signedText(admitted))
      return isOurs ? admitted : null
    },
  }
}

/** Every field has a form without line feeds, so that no two terms have one text. */
function signedText({ name, bytes, sha256, expiresMs }: AdmittedUpload): Uint8Array<ArrayBuffer> {
  return utf8(`ampere-upload/v1\n${name}\n${bytes}\n${sha256}\n${expiresMs}\n`)
}

function termsIn(url: URL): (AdmittedUpload & { readonly signature: Uint8Array<ArrayBuffer> }) | null {
  const name = url.pathname.startsWith(`${UPLOADS_PATH}/`) ? url.pathname.slice(UPLOADS_PATH.length + 1) : ''
  const given = url.searchParams
  const [sha256, signature] = [given.get('sha256') ?? '', given.get('signature') ?? '']
  const [bytes, expiresMs] = [countIn(given.get('bytes')), countIn(given.get('expires'))]
  if (bytes === null || expiresMs === null || signature.length !== 43 || !isBase64url(signature)) return null
  const terms: UploadTerms = { bytes, sha256, expiresMs }
  try {
    checkUpload(name, terms, HOME_UPLOAD_BYTES)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
  return { name, ...terms, signature: fromBase64url(signature) }
}

function countIn(text: string | null): number | null {
  return text !== null && /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : null
}
