// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FLAGS, PART_RULES } from '#core/server/audit/report.ts'
import { LOG_RULES } from '#core/server/audit/log/report.ts'
import { documentedRegistryRules, documentedRules } from '#tests/core/chain/rules/documented-rules.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const operations = readFileSync(join(ROOT, 'docs/OPERATIONS.md'), 'utf8')
const protocol = readFileSync(join(ROOT, 'docs/PROTOCOL.md'), 'utf8')

function sourcesIn(room: string): readonly string[] {
  return readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(ROOT, room, file), 'utf8'))
}

/** The rules that a room's reducers name. */
function rulesIn(room: string): readonly string[] {
  const names = sourcesIn(room).flatMap((text) =>
    [...text.matchAll(/\bviolation\(\s*'([a-z-]+)'/g)].map((match) => match[1] ?? ''),
  )
  return [...new Set(names)].toSorted()
}

describe('what an audit can say', () => {
  it.each([...PART_RULES, ...FLAGS, ...LOG_RULES])('%s is explained to operators', (name) => {
    expect(operations).toContain(`\`${name}\``)
  })

  it('is answered with a procedure that there is: nothing puts back one row, table, block or object', () => {
    const advice = readFileSync(join(ROOT, 'cli/proof/log-advice.ts'), 'utf8')
    expect(operations).toContain('## When stores are damaged')
    expect(advice).toContain('"When stores are damaged"')
    for (const text of [operations, advice]) {
      expect(
        text.match(
          /(restores?|put) (the|that|this) (rows?|tables?|blocks?|objects?|newer copy)\b[^.|;]{0,30}/gi,
        ),
      ).toBeNull()
      expect(text.match(/\| restore (it|them)\b[^|]*/gi)).toBeNull()
    }
  })

  it('names exactly the rules of blocks and of the registry that docs/protocol/RULES.md has', () => {
    const all = rulesIn('core/registry')
    // Those of proposals, which are in no block, are where proposals are described.
    const registry = all.filter((rule) => !rule.startsWith('proposal-'))
    for (const rule of all) if (!registry.includes(rule)) expect(protocol).toContain(`\`${rule}\``)
    expect(documentedRegistryRules().toSorted()).toEqual(registry)
    expect(documentedRules().toSorted()).toEqual(rulesIn('core/chain'))
    expect(registry.length).toBeGreaterThan(25)
  })

  it('finds nothing about stored parts under a name that is not on the list', () => {
    const sources = sourcesIn('core/server/audit')
    const given = sources.flatMap((text) =>
      [...text.matchAll(/rule: '([a-z-]+)'/g)].map((match) => match[1] ?? ''),
    )
    expect(
      given.filter((rule) => !['height', ...PART_RULES, ...LOG_RULES].map(String).includes(rule)),
    ).toEqual([])
  })
})
