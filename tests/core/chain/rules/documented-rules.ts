// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'

const PROTOCOL = new URL('../../../../docs/PROTOCOL.md', import.meta.url)

/** The rules of a chain as section 5 of docs/PROTOCOL.md lists them, malformed blocks and bad signatures included. */
export function documentedRules(): readonly string[] {
  const section = /\n## 5\. Blocks\n([\s\S]*?)\n## 6\./.exec(readFileSync(PROTOCOL, 'utf8'))?.[1] ?? ''
  const list = /\*\*Rules\*\*([\s\S]*?)(?:\n\n|$)/.exec(section)?.[1] ?? ''
  return [...list.matchAll(/`([a-z-]+)`/g)].map(([, rule]) => rule ?? '')
}
