// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * The address of a language model: https, or http on this machine only. It ends without `/`.
 * @throws AmpereError CONFIGURATION, which does not repeat the address: people put keys into them
 */
export function modelEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url) throw wrong('is no URL')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url)))
    throw wrong('is neither https nor http on this machine')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw wrong('has a user, a password, a query or a fragment')
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}

/** True for an address of this machine itself. `new URL` has made 127.1 and 2130706433 to 127.0.0.1. */
export function isLoopback({ hostname }: URL): boolean {
  return LOOPBACK.test(hostname)
}

/** `endpoint` with so many segments of a path behind it, each percent-encoded. */
export function under(endpoint: URL, ...segments: readonly string[]): URL {
  const url = new URL(endpoint)
  url.pathname = [url.pathname.replace(/\/+$/, ''), ...segments.map(encodeURIComponent)].join('/')
  return url
}

/**
 * A header that carries a secret. fetch repeats a value that it cannot send in its message, so it never sees one.
 * @throws AmpereError CONFIGURATION
 */
export function bearer(secret: string): { readonly authorization: string } {
  if (!/^[\x21-\x7e]{1,16384}$/.test(secret))
    throw new AmpereError(
      'CONFIGURATION',
      'the key or token of the language model has characters that none has',
    )
  return { authorization: `Bearer ${secret}` }
}

/** A name that was configured and that stands in addresses and in findings. @throws AmpereError CONFIGURATION */
export function modelName(text: string): string {
  if (/^[\x21-\x7e]{1,256}$/.test(text) && !/^\.{1,2}$/.test(text)) return text
  throw new AmpereError('CONFIGURATION', 'the name of the language model is empty or has spaces')
}

function wrong(what: string): AmpereError {
  return new AmpereError('CONFIGURATION', `the address of the language model ${what}`)
}
