// SPDX-License-Identifier: Apache-2.0
import { openAlone } from '../host/cloud/alone.ts'
import { onAzure } from '../host/cloud/azure.ts'
import { answering } from './answering.ts'

onAzure('reader', { answers: (alone) => openAlone(alone, answering) })
