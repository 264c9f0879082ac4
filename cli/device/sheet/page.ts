// SPDX-License-Identifier: Apache-2.0
import { encodeQR } from 'qr'
import type { Controllers } from '#core/block/block.ts'
import type { Invitation } from '#core/client/devices/claim.ts'
import { localTime } from '../../terminal/words.ts'
import { membersIn } from '../described.ts'
import { codeOf, wordsOf } from './words.ts'

/** What a sheet says. */
export interface Sheet {
  readonly seed: Uint8Array
  readonly fingerprint: string
  readonly place: Omit<Invitation, 'policy'>
  /** Who may recover the record once the sheet is listed. */
  readonly recovery: Controllers
  readonly made: string
}

const STYLE = `body{font:16px/24px system-ui,sans-serif;color:#16202a;max-width:44em;margin:2em auto;padding:0 1em}
h1{font-size:28px;line-height:36px}h2{font-size:20px;line-height:28px}
ol.words{columns:3;font:18px/28px ui-monospace,monospace;border:2px solid #16202a;padding:1em 1em 1em 3em}
svg{width:7cm;height:7cm;display:block;margin:1em 0}code{overflow-wrap:anywhere}
@media print{body{margin:0}h2{break-after:avoid}ol.words,svg{break-inside:avoid}}`

/** One page to print, complete in itself: no script, nothing that is fetched, nothing medical and no name. */
export function sheetPage({ seed, fingerprint, place, recovery, made }: Sheet): string {
  const words = wordsOf(seed)
    .map((word) => `<li>${word}</li>`)
    .join('')
  const { threshold } = recovery
  const others =
    threshold === 1
      ? 'Nobody else is needed.'
      : `It takes ${threshold} of them: the sheet alone reads the record, and changes nothing.`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><title>Recovery sheet</title><style>${STYLE}</style></head><body>
<h1>Recovery sheet</h1>
<p>With this sheet you get your record back when your phone or computer is lost. Print it, keep it where you keep your passport,
and delete the file. We cannot replace it. Whoever finds it can read your record.</p>
<h2>The words</h2>
<ol class="words">${words}</ol>
<p>The last word has a check in it: a word that was copied wrongly is noticed.</p>
${encodeQR(codeOf(seed, place), 'svg', { ecc: 'medium' })}
<p>The code above says the same words, and where the record is.</p>
<h2>When your device is lost</h2>
<ol>
<li>On a new device: <code>ampere device new</code></li>
<li>Ask the institution for an invitation, or scan the code into a file.</li>
<li><code>ampere recover request INVITATION --out ask.json</code>, and type the words.</li>
<li>Bring <code>ask.json</code> to whoever has to agree: <code>ampere recover approve ask.json</code></li>
<li>72 hours later: <code>ampere recover complete RECORD</code>, and type the words again.</li>
</ol>
<p>Until then whoever still controls the record can say no. If somebody else has your sheet, say so at the institution at once.</p>
<h2>Who may recover the record</h2>
<p>${escaped(membersIn(recovery))}. ${others}</p>
<h2>Where the record is</h2>
<p>Home <code>${escaped(place.origin)}</code><br>Record <code>${place.chain}</code><br>Registry <code>${place.registry}</code><br>
Fingerprint of this sheet <code>${fingerprint}</code><br>Made ${escaped(localTime(made))}</p>
</body></html>
`
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
