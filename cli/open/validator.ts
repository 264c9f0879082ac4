// SPDX-License-Identifier: Apache-2.0
import { loadDefinitions } from '#functions/host/definitions.ts'
import type { Validator } from '#core/record/fhir/validate.ts'

/**
 * A validator that loads FHIR's definitions when something is first filed: a third of a second that a start
 * need not wait for. `load` is to be awaited before anything is validated.
 */
export interface LazyValidator extends Validator {
  load(): Promise<void>
}

/** One validator for all bridges of a process. */
export function createLazyValidator(): LazyValidator {
  let loading: Promise<Validator> | null = null
  let loaded: Validator | null = null
  const ready = (): Validator => {
    if (!loaded) throw new TypeError('the validator is used before it was loaded')
    return loaded
  }
  return {
    validate: (resource) => ready().validate(resource),
    get patientTypes() {
      return ready().patientTypes
    },
    get otherTypes() {
      return ready().otherTypes
    },
    load: async () => {
      loading ??= loadValidator()
      loaded = await loading
    },
  }
}

async function loadValidator(): Promise<Validator> {
  const { createValidator } = await import('#core/record/fhir/validate.ts')
  return createValidator(loadDefinitions())
}
