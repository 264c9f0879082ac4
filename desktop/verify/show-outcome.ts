// SPDX-License-Identifier: Apache-2.0
import { logCounts, logPhrase } from '#core/client/export/log-counts.ts'
import type { ExportReport } from '#core/client/export/verify-export.ts'
import { asJson, type Failure, type Outcome } from './outcome.ts'
import {
  checksOf,
  counted,
  erasedOf,
  longTime,
  ruleOf,
  sizeOf,
  statusOf,
  verdictOf,
  type Icon,
} from './words.ts'

/** Rows shown of a list of problems; the JSON below it has all of them. */
const MAX_ROWS = 100

/** What was checked: the file by name and size, and whether a registry was pinned. */
export interface Checked {
  readonly name: string
  readonly bytes: number
  readonly isPinned: boolean
}

/** Replaces what `section` shows by an outcome, and gives the verdict, for the focus. */
export function showOutcome(section: HTMLElement, outcome: Outcome, checked: Checked): HTMLElement {
  const verdict = verdictOf(outcome, checked.isPinned)
  const heading = element('h2', { id: 'verdict-title' }, [verdict.title])
  const next =
    verdict.next === null ? [] : [element('p', {}, [element('strong', {}, ['Next: ']), verdict.next])]
  const text = element('div', {}, [heading, element('p', {}, [verdict.text]), ...next])
  const box = element(
    'div',
    {
      id: 'verdict',
      class: `verdict ${verdict.tone}`,
      tabindex: '-1',
      role: 'group',
      'aria-labelledby': 'verdict-title',
    },
    [icon(verdict.icon), text],
  )
  section.replaceChildren(
    box,
    ...(outcome.report ? reportParts(outcome.report, checked) : failureParts(outcome.failure, checked)),
    element('details', {}, [
      element('summary', {}, ['Report as JSON']),
      element('p', { class: 'hint' }, [
        'What ',
        element('code', {}, ['npx ampere verify FILE --policy POLICY --json']),
        ' prints for the same file and policy.',
      ]),
      element('pre', { id: 'json' }, [JSON.stringify(asJson(outcome), null, 2)]),
    ]),
  )
  return box
}

function reportParts(report: ExportReport, checked: Checked): Node[] {
  return [
    ...(report.problems.length === 0 ? [] : problemTable(report.problems)),
    counts(report),
    facts([
      ['Complete as of', [time(report.asOf), ', as its home says']],
      ['Log', [logPhrase(logCounts([report.log]))]],
      ['Home', [identifier(report.origin)]],
      [
        'Registry',
        [identifier(report.registry), checked.isPinned ? ' (the one you typed)' : ' (not confirmed)'],
      ],
      ['Record', [identifier(report.chain)]],
      ['File', [`${checked.name}, ${sizeOf(checked.bytes)}`]],
    ]),
    element('h3', {}, ['What was checked']),
    element(
      'ul',
      { class: 'checks' },
      checksOf(report, checked.isPinned).map(({ result, sentence }) =>
        element('li', {}, [
          element('span', { class: TONE_OF[result] }, [result]),
          element('span', {}, [sentence]),
        ]),
      ),
    ),
  ]
}

const TONE_OF = { Passed: 'tone ok', Failed: 'tone bad', 'Not checked': 'pending' } as const

function failureParts(failure: Failure, checked: Checked): Node[] {
  const rule = ruleOf(failure)
  return [
    element('h3', {}, ['What was found']),
    facts([
      ...(rule ? [['Rule', [element('code', {}, [rule.rule])]] as const] : []),
      ...(rule?.height == null ? [] : [['Block', [String(rule.height)]] as const]),
      ['Found', [asSentence(rule?.detail ?? failure.message)]],
      ['Code', [element('code', {}, [failure.code])]],
      ['File', [`${checked.name}, ${sizeOf(checked.bytes)}`]],
    ]),
  ]
}

function problemTable(problems: ExportReport['problems']): Node[] {
  const rows = problems.slice(0, MAX_ROWS).map((problem) => {
    const status = statusOf(problem)
    return element('tr', {}, [
      element('th', { scope: 'row', class: 'number' }, [String(problem.height)]),
      element('td', {}, [
        element('div', { class: 'tone bad' }, [status.word]),
        element('code', {}, [problem.rule]),
      ]),
      element('td', {}, [asSentence(problem.detail), element('div', { class: 'means' }, [status.means])]),
    ])
  })
  const more = problems.length - rows.length
  return [
    element('table', { class: 'problems' }, [
      element('caption', {}, ['Problems']),
      element('thead', {}, [
        element('tr', {}, [
          element('th', { scope: 'col', class: 'number' }, ['Block']),
          ...['Status, rule', 'What was found'].map((name) => element('th', { scope: 'col' }, [name])),
        ]),
      ]),
      element('tbody', {}, rows),
    ]),
    ...(more > 0 ? [element('p', {}, [`${counted(more, 'more problem')}, in the JSON below`])] : []),
  ]
}

function counts(report: ExportReport): HTMLElement {
  const pairs = [
    ['Blocks', report.blocks.toLocaleString('en-GB')],
    ['Entries', report.entries.toLocaleString('en-GB')],
    ['Erased', erasedOf(report)],
  ] as const
  return element(
    'dl',
    { class: 'counts' },
    pairs.map(([name, count]) => element('div', {}, [element('dt', {}, [name]), element('dd', {}, [count])])),
  )
}

function facts(pairs: readonly (readonly [string, readonly (Node | string)[]])[]): HTMLElement {
  return element(
    'dl',
    { class: 'facts' },
    pairs.flatMap(([name, value]) => [element('dt', {}, [name]), element('dd', {}, value)]),
  )
}

function time(timestamp: string): HTMLElement {
  return element('time', { datetime: timestamp }, [longTime(timestamp)])
}

function identifier(text: string): HTMLElement {
  return element('span', { class: 'id' }, [text])
}

function asSentence(detail: string): string {
  return `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`
}

/** Text only ever becomes text: nothing that a file says is parsed as HTML. */
function element(
  tag: string,
  attributes: Record<string, string>,
  children: readonly (Node | string)[],
): HTMLElement {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

function icon(name: Icon): SVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('aria-hidden', 'true')
  const use = document.createElementNS(SVG, 'use')
  use.setAttribute('href', `#${name}`)
  svg.append(use)
  return svg
}

const SVG = 'http://www.w3.org/2000/svg'
