// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'

interface FormatsMlDsa {
  readonly vkeyOfAnotherId: string
  readonly subtree: {
    readonly vkey: string
    readonly origin: string
    readonly start: number
    readonly end: number
    readonly hash: string
    readonly signature: string
  }
}
interface TorchwoodMlDsaLog {
  readonly vkey: string
  readonly addCheckpoint: string
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`tlog/${name}.json`, import.meta.url), 'utf8'))
const formats = read('formats-mldsa') as FormatsMlDsa
const torchwood = read('torchwood-mldsa-log') as TorchwoodMlDsaLog

/** Keys and signatures of ML-DSA-44 that other implementations made. */
export const tlogVectors = {
  ...formats,
  torchwood,
  vkeys: [formats.subtree.vkey, torchwood.vkey],
}
