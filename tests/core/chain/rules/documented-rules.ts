// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'

const PROTOCOL = new URL('../../../../docs/PROTOCOL.md', import.meta.url)

/**
 * The rules of a chain, each once, as the table in section 5 of docs/PROTOCOL.md has them, malformed blocks and bad
 * signatures included. A rule has a row for each type of block that it is asked of.
 */
export function documentedRules(): readonly string[] {
  const section = /\n## 5\. Blocks\n([\s\S]*?)\n## 6\./.exec(readFileSync(PROTOCOL, 'utf8'))?.[1] ?? ''
  const table = /\n\| rule \| broken when \|\n([\s\S]*?)(?:\n\n|$)/.exec(section)?.[1] ?? ''
  return [...new Set([...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, rule]) => rule ?? ''))]
}
