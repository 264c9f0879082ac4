// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FLAGS, PART_RULES } from '#core/server/audit/report.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const operations = readFileSync(join(ROOT, 'docs/OPERATIONS.md'), 'utf8')
const protocol = readFileSync(join(ROOT, 'docs/PROTOCOL.md'), 'utf8')

/** The rules that a room's reducers name. */
function rulesIn(room: string): readonly string[] {
  const files = readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
  const sources = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(ROOT, room, file), 'utf8'))
  const names = sources.flatMap((text) =>
    [...text.matchAll(/\bviolation\(\s*'([a-z-]+)'/g)].map((match) => match[1] ?? ''),
  )
  return [...new Set(names)].toSorted()
}

describe('what an audit can say', () => {
  it.each([...PART_RULES, ...FLAGS])('%s is explained to operators', (name) => {
    expect(operations).toContain(`\`${name}\``)
  })

  it('names every rule of blocks and of the registry in the protocol', () => {
    const [registry = '', blocks = ''] = [
      /## 4\. Registry([\s\S]*?)## 5\./.exec(protocol)?.[1],
      /## 5\. Blocks([\s\S]*?)## 6\./.exec(protocol)?.[1],
    ]
    const chainRules = rulesIn('core/chain')
    const registryRules = rulesIn('core/registry')
    expect(Math.min(chainRules.length, registryRules.length)).toBeGreaterThan(25)
    expect(chainRules.filter((rule) => !blocks.includes(`\`${rule}\``))).toEqual([])
    expect(registryRules.filter((rule) => !registry.includes(`\`${rule}\``))).toEqual([])
    const rows = [...registry.matchAll(/^\| `([a-z-]+)` \| [^|]+ \|$/gm)].map((match) => match[1] ?? '')
    expect([...new Set(rows)].toSorted()).toEqual(registryRules)
  })

  it('finds nothing about stored parts under a name that is not on the list', () => {
    const sources = readdirSync(join(ROOT, 'core/server/audit')).map((file) =>
      readFileSync(join(ROOT, 'core/server/audit', file), 'utf8'),
    )
    const given = sources.flatMap((text) =>
      [...text.matchAll(/rule: '([a-z-]+)'/g)].map((match) => match[1] ?? ''),
    )
    expect(given.filter((rule) => !['height', ...PART_RULES].includes(rule))).toEqual([])
  })
})
