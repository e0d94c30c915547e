export {
  workerCompartment,
  type JobOptions,
  type WorkerCompartment,
  type WorkerCompartmentEvent,
  type WorkerCompartmentOptions,
  type WorkerCompartmentSettings,
  type WorkerCompartmentStatus,
  type WorkerEvent,
} from './worker-compartment.ts'
