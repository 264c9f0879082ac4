// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'

const RULES = new URL('../../../../docs/protocol/RULES.md', import.meta.url)

/** The rules of the registry, each once, as the table in section 1 of docs/protocol/RULES.md has them. */
export function documentedRegistryRules(): readonly string[] {
  return rulesIn(1)
}

/**
 * The rules of a chain, each once, as the table in section 2 of docs/protocol/RULES.md has them, malformed blocks and
 * bad signatures included. A rule has a row for each type of block that it is asked of.
 */
export function documentedRules(): readonly string[] {
  return rulesIn(2)
}

function rulesIn(section: number): readonly string[] {
  const text = readFileSync(RULES, 'utf8').split(/^## \d+\. /m)[section] ?? ''
  return [...new Set([...text.matchAll(/^\| `([a-z-]+)` \| [^|]+ \|$/gm)].map(([, rule]) => rule ?? ''))]
}
