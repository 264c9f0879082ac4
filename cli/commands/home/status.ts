// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { shownPageAnswer } from '#core/api/answers.ts'
import { homeAnswer, type RegistryStanding } from '#core/api/discovery.ts'
import { AmpereError } from '#core/errors.ts'
import { withHome, type Reached } from '../../deployment/session.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'
import { fetchText } from '../../witness/fetch-text.ts'

/** Of what a home says of itself, and of the revocations that it was shown. */
const MAX_BYTES = 1024 * 1024

/** Says how a home stands to its registry, and which revocations the registry owes. */
export function homeStatus(call: Call<CloudOption>): Promise<number> {
  return withHome(
    call,
    () => [],
    async (reached) => {
      const said = await askHome(reached, '/.well-known/ampere', homeAnswer)
      const { overdue } = await askHome(reached, '/v1/registry/revocations?limit=1', shownPageAnswer)
      const { standing = 'unknown', home = null, seen = null } = said.following ?? {}
      const { deployment, origin, registry } = said
      const ok = standing === 'home' || standing === 'followed'
      call.screen.print({ ok, deployment, origin, registry, standing, home, seen, overdue }, [
        `${deployment} at ${origin}: ${phraseOf(standing, home, seen)}`,
        ...(overdue === 0
          ? []
          : [`${counted(overdue, 'revocation')} shown here for longer than 60 s, and not in the registry.`]),
      ])
      if (standing === 'forked') return EXIT.verification
      return ok ? EXIT.ok : EXIT.failed
    },
    'look',
  )
}

async function askHome<S extends v.GenericSchema>(
  { fetch, settings }: Pick<Reached, 'fetch' | 'settings'>,
  path: string,
  schema: S,
): Promise<v.InferOutput<S>> {
  const { status, text } = await fetchText(fetch, `${settings.origin}${path}`, MAX_BYTES)
  try {
    if (status === 200) return v.parse(schema, JSON.parse(text))
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', 'the home does not answer as a home does', { cause })
  }
  throw new AmpereError('UPSTREAM_FAILED', `the home answered ${status}`)
}

function phraseOf(standing: RegistryStanding, home: string | null, seen: string | null): string {
  const when = seen === null ? 'never' : localTime(seen)
  switch (standing) {
    case 'home':
      return 'the registry is at home here.'
    case 'followed':
      return `the registry is at home at ${home ?? ''}, and what it showed is here (${when}).`
    case 'unseen':
      return `the home of the registry, ${home ?? ''}, was seen last: ${when}. What it revoked since is not known here, unless it was shown.`
    case 'forked':
      return `THE REGISTRY WAS SHOWN WITH TWO HISTORIES by ${home ?? ''}. Both blocks are kept; it is followed no more.`
    case 'unknown':
      return 'how it stands to its registry is not known: its store does not say.'
  }
}
