// SPDX-License-Identifier: Apache-2.0
// Writes the table of rules into CONSISTENCY.md, from the rules themselves: node docs/build.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { RULES } from '#core/consistency/rules/all.ts'

const FILE = new URL('./CONSISTENCY.md', import.meta.url)
const [BEGIN, END] = ['<!-- rules: made by docs/build.ts -->', '<!-- end of rules -->']

/** The document with its table made anew. */
export function withRules(document: string): string {
  const [before = '', rest = ''] = document.split(BEGIN)
  const [, after = ''] = rest.split(END)
  return `${before}${BEGIN}\n\n${tableOfRules()}\n${END}${after}`
}

function tableOfRules(): string {
  const rows = RULES.toSorted((a, b) => numberOf(a.id) - numberOf(b.id) || (a.id < b.id ? -1 : 1)).map(
    (rule) => {
      const review = rule.review === 'proposed' ? 'proposed' : 'by structure'
      return `| ${rule.id} | ${rule.rationale} | ${rule.severity} | ${rule.kahn} | ${review} | ${rule.needs} |`
    },
  )
  return `${['| rule | in words | severity | class | limits | not assessed when there is |', '|---|---|---|---|---|---|', ...rows].join('\n')}\n`
}

function numberOf(id: string): number {
  return Number.parseInt(id.slice(1), 10)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(FILE, withRules(readFileSync(FILE, 'utf8')))
}
