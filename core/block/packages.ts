// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../bytes/canonical-json.ts'
import { fromBase64url, toBase64url } from '../bytes/encoding.ts'
import type { Digest } from '../bytes/ids.ts'
import { digestOf } from '../crypto/hash.ts'
import { rootOf } from '../log/merkle.ts'

/** What `body.packages` covers of one package: who it is for and the hash of its sealed bytes. */
interface SealedPackage {
  readonly kind: 'reader' | 'history'
  readonly epoch: number
  readonly reader?: string
  readonly compartment?: string
  readonly sealed: string
}

/** RFC 6962 root over the packages in the order of `packageKey`; each leaf is its canonical description. */
export function packagesRoot(packages: readonly SealedPackage[]): Digest {
  const leaves = [...packages]
    .toSorted((a, b) => (packageKey(a) < packageKey(b) ? -1 : 1))
    .map((item) => canonicalBytes({ name: packageKey(item), hash: digestOf(fromBase64url(item.sealed)) }))
  return toBase64url(rootOf(leaves)) as Digest
}

/** Name of a package within its chain: `<epoch>/reader/<name>` or `<epoch>/history/<compartment>`. */
export function packageKey(item: Omit<SealedPackage, 'sealed'>): string {
  const epoch = String(item.epoch).padStart(16, '0')
  return `${epoch}/${item.kind}/${item.kind === 'reader' ? (item.reader ?? '') : (item.compartment ?? '')}`
}
