// SPDX-License-Identifier: Apache-2.0
import { verifyCertificate } from '#core/client/enrol/certificate.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import { institutionFolder } from '../../deployment/files.ts'
import { actingInstitution, type ActingOptions } from '../../deployment/session.ts'
import { certificateFile, readCertificate } from '../../enrolment/certificate-file.ts'
import { certificateLines } from '../../enrolment/told.ts'
import { pinnedPolicy } from '../../open/policy.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { localTime } from '../../terminal/words.ts'

/** Verifies the certificate of this machine's app instance, offline, and shows it. */
export async function showCertificate(call: Call<ActingOptions>): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  const id = actingInstitution(settings, call.options)
  const place = institutionFolder(folder, id)
  const certificate = readCertificate(place)
  if (!certificate)
    throw refuse(
      'NOT_FOUND',
      `there is no certificate of ${id}: only instances that were enrolled from another machine have one`,
      'npx ampere instance list',
    )
  const pins = {
    registry: settings.registry,
    origin: settings.origin,
    policy: pinnedPolicy(folder, settings),
  }
  const { instance, level, since, blockId } = await verifyCertificate(certificate, pins, createVerifiers())
  const isOver = instance.expires !== undefined && Date.parse(instance.expires) < Date.now()
  call.screen.print(
    {
      ok: true,
      instance: instance.id,
      institution: instance.institution,
      kid: certificate.kid,
      capabilities: instance.capabilities,
      expires: instance.expires ?? null,
      registryHeight: certificate.height,
      block: blockId,
      since,
      level,
      certificate: certificateFile(place),
    },
    [
      `${instance.id} of ${instance.institution}, entered at ${localTime(since)}${isOver ? ', has EXPIRED' : ''}. Verified offline, from the registry that is pinned here.`,
      ...certificateLines(instance, certificate),
      ...(level === null ? [] : [`  Log          ${level}`]),
      'What became of it since, a certificate does not say: npx ampere instance list',
    ],
  )
  return EXIT.ok
}
