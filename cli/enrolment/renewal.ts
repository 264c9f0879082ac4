// SPDX-License-Identifier: Apache-2.0
import { makeCertificate } from '#core/client/enrol/certificate.ts'
import type { Connection } from '#core/client/connect.ts'
import { isRenewalDue, keyInForce, renewInstance } from '#core/client/enrol/renew.ts'
import { isAmpereError } from '#core/errors.ts'
import type { Signer } from '#core/ports/keys.ts'
import { actingInstance, type Institution } from '../open/institution.ts'
import { readCertificate, writeCertificate } from './certificate-file.ts'

/** Keys of an instance that was enrolled, in the order in which it had them: `instance/enrolled/1` and on. */
export const ENROLLED_KEY = 'instance/enrolled/'

/**
 * Renews the instance that acts when less than a quarter of its time is left. The next key is made before it is asked for, and
 * is the same one however often this is begun, so that one renewal is made whatever crashes. A home that cannot be asked
 * is asked again by the next command: the old key holds until the instance expires.
 * @returns whether another key acts from now on
 */
export async function renewedIfDue({
  institution,
  connection,
}: {
  readonly institution: Institution
  readonly connection: Connection
}): Promise<boolean> {
  const current = actingInstance(institution)
  const at = keyInForce(connection, current.kid)
  if (!at || at.instance.expires === undefined) return false
  await keepCertificate(connection, institution, current)
  if (!isRenewalDue(at.instance, at.sinceMs, connection.ports.now())) return false
  const next = await nextKey(institution, connection)
  try {
    await renewInstance(connection, current, next)
  } catch (error) {
    if (isAmpereError(error, 'UPSTREAM_FAILED', 'STORE_UNAVAILABLE', 'CLOCK_SKEW', 'HEAD_CONFLICT'))
      return false
    throw error
  }
  await keepCertificate(connection, institution, next)
  return true
}

/** A key of this machine that the registry does not have; one that was made for a renewal that did not end comes first. */
async function nextKey({ keyring }: Institution, { sync }: Connection): Promise<Signer> {
  const names = keyring.names().filter((name) => name.startsWith(ENROLLED_KEY))
  for (const name of names) {
    const signer = await keyring.signer(name, 'ES256')
    if (sync.registry.since(`key/${signer.kid}`) === null) return signer
  }
  return keyring.signer(`${ENROLLED_KEY}${names.length + 1}`, 'ES256')
}

/** Writes the certificate of the key that acts, where another one or one without a receipt is kept. */
async function keepCertificate(
  connection: Connection,
  { folder }: Institution,
  { kid }: Signer,
): Promise<void> {
  const kept = readCertificate(folder)
  const instance = keyInForce(connection, kid)?.instance
  if (!instance || (kept?.kid === kid && kept.receipt !== null)) return
  writeCertificate(folder, await makeCertificate(connection, instance.id, kid))
}
