import OspreyFFI

public func model_named<GenericIntoRustString: IntoRustString>(_ name: GenericIntoRustString) throws -> ModelSource {
    try { let val = __swift_bridge__$model_named({ let rustString = name.intoRustString(); rustString.isOwned = false; return rustString.ptr }()); if val.is_ok { return ModelSource(ptr: val.ok_or_err!) } else { throw Failure(ptr: val.ok_or_err!) } }()
}
public func model_for_task(_ task: UInt8) throws -> ModelSource {
    try { let val = __swift_bridge__$model_for_task(task); if val.is_ok { return ModelSource(ptr: val.ok_or_err!) } else { throw Failure(ptr: val.ok_or_err!) } }()
}
public func model_file<GenericIntoRustString: IntoRustString>(_ path: GenericIntoRustString) throws -> ModelSource {
    try { let val = __swift_bridge__$model_file({ let rustString = path.intoRustString(); rustString.isOwned = false; return rustString.ptr }()); if val.is_ok { return ModelSource(ptr: val.ok_or_err!) } else { throw Failure(ptr: val.ok_or_err!) } }()
}
public func built_in_models() -> RustString {
    RustString(ptr: __swift_bridge__$built_in_models())
}
public func session_options() -> SessionOptions {
    SessionOptions(ptr: __swift_bridge__$session_options())
}
public func session_listen(_ source: ModelSourceRef, _ options: SessionOptionsRef, _ listener: ResultListener) throws -> Session {
    try { let val = __swift_bridge__$session_listen(source.ptr, options.ptr, Unmanaged.passRetained(listener).toOpaque()); if val.is_ok { return Session(ptr: val.ok_or_err!) } else { throw Failure(ptr: val.ok_or_err!) } }()
}
public func session_poll(_ source: ModelSourceRef, _ options: SessionOptionsRef) throws -> Session {
    try { let val = __swift_bridge__$session_poll(source.ptr, options.ptr); if val.is_ok { return Session(ptr: val.ok_or_err!) } else { throw Failure(ptr: val.ok_or_err!) } }()
}
public func governor(_ camera_fps: Double) -> Governor {
    Governor(ptr: __swift_bridge__$governor(camera_fps))
}
public func motion(_ source: ModelSourceRef, _ android: Bool, _ smoothing_seconds: Double) throws -> Motion {
    try { let val = __swift_bridge__$motion(source.ptr, android, smoothing_seconds); if val.is_ok { return Motion(ptr: val.ok_or_err!) } else { throw Failure(ptr: val.ok_or_err!) } }()
}
public func digit_reader(_ source: ModelSourceRef) throws -> DigitReader {
    try { let val = __swift_bridge__$digit_reader(source.ptr); if val.is_ok { return DigitReader(ptr: val.ok_or_err!) } else { throw Failure(ptr: val.ok_or_err!) } }()
}
public func training_control() -> TrainingControl {
    TrainingControl(ptr: __swift_bridge__$training_control())
}
public func teacher<GenericIntoRustString: IntoRustString>(_ source: ModelSourceRef, _ folder: GenericIntoRustString) throws -> Teacher {
    try { let val = __swift_bridge__$teacher(source.ptr, { let rustString = folder.intoRustString(); rustString.isOwned = false; return rustString.ptr }()); if val.is_ok { return Teacher(ptr: val.ok_or_err!) } else { throw Failure(ptr: val.ok_or_err!) } }()
}
public func benchmark(_ source: ModelSourceRef, _ options: SessionOptionsRef, _ width: UInt32, _ height: UInt32) throws -> Benchmark {
    try { let val = __swift_bridge__$benchmark(source.ptr, options.ptr, width, height); if val.is_ok { return Benchmark(ptr: val.ok_or_err!) } else { throw Failure(ptr: val.ok_or_err!) } }()
}
public func instruction_set() -> RustString {
    RustString(ptr: __swift_bridge__$instruction_set())
}
public func library_version() -> RustString {
    RustString(ptr: __swift_bridge__$library_version())
}
@_cdecl("__swift_bridge__$ResultListener$on_result")
func __swift_bridge__ResultListener_on_result (_ this: UnsafeMutableRawPointer, _ findings: UnsafeMutableRawPointer) {
    Unmanaged<ResultListener>.fromOpaque(this).takeUnretainedValue().on_result(findings: Findings(ptr: findings))
}

@_cdecl("__swift_bridge__$TrainingListener$on_batch")
func __swift_bridge__TrainingListener_on_batch (_ this: UnsafeMutableRawPointer, _ figures: __swift_bridge__$BatchFigures) {
    Unmanaged<TrainingListener>.fromOpaque(this).takeUnretainedValue().on_batch(figures: figures.intoSwiftRepr())
}

@_cdecl("__swift_bridge__$TrainingListener$on_epoch")
func __swift_bridge__TrainingListener_on_epoch (_ this: UnsafeMutableRawPointer, _ figures: __swift_bridge__$EpochFigures) {
    Unmanaged<TrainingListener>.fromOpaque(this).takeUnretainedValue().on_epoch(figures: figures.intoSwiftRepr())
}

public struct PixelBuffer {
    public var base: UInt
    public var length: UInt
    public var bytes_per_row: UInt
    public var chroma: UInt
    public var chroma_length: UInt
    public var chroma_bytes_per_row: UInt
    public var width: UInt32
    public var height: UInt32
    public var format: UInt8
    public var color: UInt8
    public var orientation: UInt8
    public var mirrored: Bool
    public var time_ns: Int64
    public var has_region: Bool
    public var x_min: Float
    public var y_min: Float
    public var x_max: Float
    public var y_max: Float

    public init(base: UInt,length: UInt,bytes_per_row: UInt,chroma: UInt,chroma_length: UInt,chroma_bytes_per_row: UInt,width: UInt32,height: UInt32,format: UInt8,color: UInt8,orientation: UInt8,mirrored: Bool,time_ns: Int64,has_region: Bool,x_min: Float,y_min: Float,x_max: Float,y_max: Float) {
        self.base = base
        self.length = length
        self.bytes_per_row = bytes_per_row
        self.chroma = chroma
        self.chroma_length = chroma_length
        self.chroma_bytes_per_row = chroma_bytes_per_row
        self.width = width
        self.height = height
        self.format = format
        self.color = color
        self.orientation = orientation
        self.mirrored = mirrored
        self.time_ns = time_ns
        self.has_region = has_region
        self.x_min = x_min
        self.y_min = y_min
        self.x_max = x_max
        self.y_max = y_max
    }

    @inline(__always)
    func intoFfiRepr() -> __swift_bridge__$PixelBuffer {
        { let val = self; return __swift_bridge__$PixelBuffer(base: val.base, length: val.length, bytes_per_row: val.bytes_per_row, chroma: val.chroma, chroma_length: val.chroma_length, chroma_bytes_per_row: val.chroma_bytes_per_row, width: val.width, height: val.height, format: val.format, color: val.color, orientation: val.orientation, mirrored: val.mirrored, time_ns: val.time_ns, has_region: val.has_region, x_min: val.x_min, y_min: val.y_min, x_max: val.x_max, y_max: val.y_max); }()
    }
}
extension __swift_bridge__$PixelBuffer {
    @inline(__always)
    func intoSwiftRepr() -> PixelBuffer {
        { let val = self; return PixelBuffer(base: val.base, length: val.length, bytes_per_row: val.bytes_per_row, chroma: val.chroma, chroma_length: val.chroma_length, chroma_bytes_per_row: val.chroma_bytes_per_row, width: val.width, height: val.height, format: val.format, color: val.color, orientation: val.orientation, mirrored: val.mirrored, time_ns: val.time_ns, has_region: val.has_region, x_min: val.x_min, y_min: val.y_min, x_max: val.x_max, y_max: val.y_max); }()
    }
}
extension __swift_bridge__$Option$PixelBuffer {
    @inline(__always)
    func intoSwiftRepr() -> Optional<PixelBuffer> {
        if self.is_some {
            return self.val.intoSwiftRepr()
        } else {
            return nil
        }
    }

    @inline(__always)
    static func fromSwiftRepr(_ val: Optional<PixelBuffer>) -> __swift_bridge__$Option$PixelBuffer {
        if let v = val {
            return __swift_bridge__$Option$PixelBuffer(is_some: true, val: v.intoFfiRepr())
        } else {
            return __swift_bridge__$Option$PixelBuffer(is_some: false, val: __swift_bridge__$PixelBuffer())
        }
    }
}
public struct FindingsFacts {
    public var sequence: UInt64
    public var time_ns: Int64
    public var width: UInt32
    public var height: UInt32
    public var detections: UInt
    public var tracks: UInt
    public var submit_ns: UInt64
    public var preprocess_ns: UInt64
    public var wait_ns: UInt64
    public var inference_ns: UInt64
    public var post_ns: UInt64
    public var track_ns: UInt64
    public var age_ns: UInt64

    public init(sequence: UInt64,time_ns: Int64,width: UInt32,height: UInt32,detections: UInt,tracks: UInt,submit_ns: UInt64,preprocess_ns: UInt64,wait_ns: UInt64,inference_ns: UInt64,post_ns: UInt64,track_ns: UInt64,age_ns: UInt64) {
        self.sequence = sequence
        self.time_ns = time_ns
        self.width = width
        self.height = height
        self.detections = detections
        self.tracks = tracks
        self.submit_ns = submit_ns
        self.preprocess_ns = preprocess_ns
        self.wait_ns = wait_ns
        self.inference_ns = inference_ns
        self.post_ns = post_ns
        self.track_ns = track_ns
        self.age_ns = age_ns
    }

    @inline(__always)
    func intoFfiRepr() -> __swift_bridge__$FindingsFacts {
        { let val = self; return __swift_bridge__$FindingsFacts(sequence: val.sequence, time_ns: val.time_ns, width: val.width, height: val.height, detections: val.detections, tracks: val.tracks, submit_ns: val.submit_ns, preprocess_ns: val.preprocess_ns, wait_ns: val.wait_ns, inference_ns: val.inference_ns, post_ns: val.post_ns, track_ns: val.track_ns, age_ns: val.age_ns); }()
    }
}
extension __swift_bridge__$FindingsFacts {
    @inline(__always)
    func intoSwiftRepr() -> FindingsFacts {
        { let val = self; return FindingsFacts(sequence: val.sequence, time_ns: val.time_ns, width: val.width, height: val.height, detections: val.detections, tracks: val.tracks, submit_ns: val.submit_ns, preprocess_ns: val.preprocess_ns, wait_ns: val.wait_ns, inference_ns: val.inference_ns, post_ns: val.post_ns, track_ns: val.track_ns, age_ns: val.age_ns); }()
    }
}
extension __swift_bridge__$Option$FindingsFacts {
    @inline(__always)
    func intoSwiftRepr() -> Optional<FindingsFacts> {
        if self.is_some {
            return self.val.intoSwiftRepr()
        } else {
            return nil
        }
    }

    @inline(__always)
    static func fromSwiftRepr(_ val: Optional<FindingsFacts>) -> __swift_bridge__$Option$FindingsFacts {
        if let v = val {
            return __swift_bridge__$Option$FindingsFacts(is_some: true, val: v.intoFfiRepr())
        } else {
            return __swift_bridge__$Option$FindingsFacts(is_some: false, val: __swift_bridge__$FindingsFacts())
        }
    }
}
public struct LedgerFigures {
    public var captured: UInt64
    public var shown: UInt64
    public var replaced: UInt64
    public var late: UInt64
    public var paused: UInt64
    public var paced: UInt64
    public var model_changed: UInt64
    public var shutdown: UInt64
    public var stale: UInt64
    public var failed: UInt64
    public var pending: UInt64

    public init(captured: UInt64,shown: UInt64,replaced: UInt64,late: UInt64,paused: UInt64,paced: UInt64,model_changed: UInt64,shutdown: UInt64,stale: UInt64,failed: UInt64,pending: UInt64) {
        self.captured = captured
        self.shown = shown
        self.replaced = replaced
        self.late = late
        self.paused = paused
        self.paced = paced
        self.model_changed = model_changed
        self.shutdown = shutdown
        self.stale = stale
        self.failed = failed
        self.pending = pending
    }

    @inline(__always)
    func intoFfiRepr() -> __swift_bridge__$LedgerFigures {
        { let val = self; return __swift_bridge__$LedgerFigures(captured: val.captured, shown: val.shown, replaced: val.replaced, late: val.late, paused: val.paused, paced: val.paced, model_changed: val.model_changed, shutdown: val.shutdown, stale: val.stale, failed: val.failed, pending: val.pending); }()
    }
}
extension __swift_bridge__$LedgerFigures {
    @inline(__always)
    func intoSwiftRepr() -> LedgerFigures {
        { let val = self; return LedgerFigures(captured: val.captured, shown: val.shown, replaced: val.replaced, late: val.late, paused: val.paused, paced: val.paced, model_changed: val.model_changed, shutdown: val.shutdown, stale: val.stale, failed: val.failed, pending: val.pending); }()
    }
}
extension __swift_bridge__$Option$LedgerFigures {
    @inline(__always)
    func intoSwiftRepr() -> Optional<LedgerFigures> {
        if self.is_some {
            return self.val.intoSwiftRepr()
        } else {
            return nil
        }
    }

    @inline(__always)
    static func fromSwiftRepr(_ val: Optional<LedgerFigures>) -> __swift_bridge__$Option$LedgerFigures {
        if let v = val {
            return __swift_bridge__$Option$LedgerFigures(is_some: true, val: v.intoFfiRepr())
        } else {
            return __swift_bridge__$Option$LedgerFigures(is_some: false, val: __swift_bridge__$LedgerFigures())
        }
    }
}
public struct StageFigures {
    public var count: UInt64
    public var p50_ns: UInt64
    public var p95_ns: UInt64
    public var p99_ns: UInt64

    public init(count: UInt64,p50_ns: UInt64,p95_ns: UInt64,p99_ns: UInt64) {
        self.count = count
        self.p50_ns = p50_ns
        self.p95_ns = p95_ns
        self.p99_ns = p99_ns
    }

    @inline(__always)
    func intoFfiRepr() -> __swift_bridge__$StageFigures {
        { let val = self; return __swift_bridge__$StageFigures(count: val.count, p50_ns: val.p50_ns, p95_ns: val.p95_ns, p99_ns: val.p99_ns); }()
    }
}
extension __swift_bridge__$StageFigures {
    @inline(__always)
    func intoSwiftRepr() -> StageFigures {
        { let val = self; return StageFigures(count: val.count, p50_ns: val.p50_ns, p95_ns: val.p95_ns, p99_ns: val.p99_ns); }()
    }
}
extension __swift_bridge__$Option$StageFigures {
    @inline(__always)
    func intoSwiftRepr() -> Optional<StageFigures> {
        if self.is_some {
            return self.val.intoSwiftRepr()
        } else {
            return nil
        }
    }

    @inline(__always)
    static func fromSwiftRepr(_ val: Optional<StageFigures>) -> __swift_bridge__$Option$StageFigures {
        if let v = val {
            return __swift_bridge__$Option$StageFigures(is_some: true, val: v.intoFfiRepr())
        } else {
            return __swift_bridge__$Option$StageFigures(is_some: false, val: __swift_bridge__$StageFigures())
        }
    }
}
public struct PaceReading {
    public var at: Double
    public var thermal: UInt8
    public var battery_level: Float
    public var charging: Bool
    public var saving: Bool
    public var latency_ms: Double

    public init(at: Double,thermal: UInt8,battery_level: Float,charging: Bool,saving: Bool,latency_ms: Double) {
        self.at = at
        self.thermal = thermal
        self.battery_level = battery_level
        self.charging = charging
        self.saving = saving
        self.latency_ms = latency_ms
    }

    @inline(__always)
    func intoFfiRepr() -> __swift_bridge__$PaceReading {
        { let val = self; return __swift_bridge__$PaceReading(at: val.at, thermal: val.thermal, battery_level: val.battery_level, charging: val.charging, saving: val.saving, latency_ms: val.latency_ms); }()
    }
}
extension __swift_bridge__$PaceReading {
    @inline(__always)
    func intoSwiftRepr() -> PaceReading {
        { let val = self; return PaceReading(at: val.at, thermal: val.thermal, battery_level: val.battery_level, charging: val.charging, saving: val.saving, latency_ms: val.latency_ms); }()
    }
}
extension __swift_bridge__$Option$PaceReading {
    @inline(__always)
    func intoSwiftRepr() -> Optional<PaceReading> {
        if self.is_some {
            return self.val.intoSwiftRepr()
        } else {
            return nil
        }
    }

    @inline(__always)
    static func fromSwiftRepr(_ val: Optional<PaceReading>) -> __swift_bridge__$Option$PaceReading {
        if let v = val {
            return __swift_bridge__$Option$PaceReading(is_some: true, val: v.intoFfiRepr())
        } else {
            return __swift_bridge__$Option$PaceReading(is_some: false, val: __swift_bridge__$PaceReading())
        }
    }
}
public struct PaceDecision {
    public var level: UInt32
    public var interval: UInt32
    public var allowed: Double
    public var expected: Double

    public init(level: UInt32,interval: UInt32,allowed: Double,expected: Double) {
        self.level = level
        self.interval = interval
        self.allowed = allowed
        self.expected = expected
    }

    @inline(__always)
    func intoFfiRepr() -> __swift_bridge__$PaceDecision {
        { let val = self; return __swift_bridge__$PaceDecision(level: val.level, interval: val.interval, allowed: val.allowed, expected: val.expected); }()
    }
}
extension __swift_bridge__$PaceDecision {
    @inline(__always)
    func intoSwiftRepr() -> PaceDecision {
        { let val = self; return PaceDecision(level: val.level, interval: val.interval, allowed: val.allowed, expected: val.expected); }()
    }
}
extension __swift_bridge__$Option$PaceDecision {
    @inline(__always)
    func intoSwiftRepr() -> Optional<PaceDecision> {
        if self.is_some {
            return self.val.intoSwiftRepr()
        } else {
            return nil
        }
    }

    @inline(__always)
    static func fromSwiftRepr(_ val: Optional<PaceDecision>) -> __swift_bridge__$Option$PaceDecision {
        if let v = val {
            return __swift_bridge__$Option$PaceDecision(is_some: true, val: v.intoFfiRepr())
        } else {
            return __swift_bridge__$Option$PaceDecision(is_some: false, val: __swift_bridge__$PaceDecision())
        }
    }
}
public struct MotionCounts {
    public var taken: UInt64
    public var left_out: UInt64
    public var restarts: UInt64

    public init(taken: UInt64,left_out: UInt64,restarts: UInt64) {
        self.taken = taken
        self.left_out = left_out
        self.restarts = restarts
    }

    @inline(__always)
    func intoFfiRepr() -> __swift_bridge__$MotionCounts {
        { let val = self; return __swift_bridge__$MotionCounts(taken: val.taken, left_out: val.left_out, restarts: val.restarts); }()
    }
}
extension __swift_bridge__$MotionCounts {
    @inline(__always)
    func intoSwiftRepr() -> MotionCounts {
        { let val = self; return MotionCounts(taken: val.taken, left_out: val.left_out, restarts: val.restarts); }()
    }
}
extension __swift_bridge__$Option$MotionCounts {
    @inline(__always)
    func intoSwiftRepr() -> Optional<MotionCounts> {
        if self.is_some {
            return self.val.intoSwiftRepr()
        } else {
            return nil
        }
    }

    @inline(__always)
    static func fromSwiftRepr(_ val: Optional<MotionCounts>) -> __swift_bridge__$Option$MotionCounts {
        if let v = val {
            return __swift_bridge__$Option$MotionCounts(is_some: true, val: v.intoFfiRepr())
        } else {
            return __swift_bridge__$Option$MotionCounts(is_some: false, val: __swift_bridge__$MotionCounts())
        }
    }
}
public struct TrainingPlan {
    public var epochs: UInt32
    public var batch_size: UInt32
    public var learning_rate: Float
    public var validation: Float
    public var patience: UInt32
    public var resume: Bool

    public init(epochs: UInt32,batch_size: UInt32,learning_rate: Float,validation: Float,patience: UInt32,resume: Bool) {
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation = validation
        self.patience = patience
        self.resume = resume
    }

    @inline(__always)
    func intoFfiRepr() -> __swift_bridge__$TrainingPlan {
        { let val = self; return __swift_bridge__$TrainingPlan(epochs: val.epochs, batch_size: val.batch_size, learning_rate: val.learning_rate, validation: val.validation, patience: val.patience, resume: val.resume); }()
    }
}
extension __swift_bridge__$TrainingPlan {
    @inline(__always)
    func intoSwiftRepr() -> TrainingPlan {
        { let val = self; return TrainingPlan(epochs: val.epochs, batch_size: val.batch_size, learning_rate: val.learning_rate, validation: val.validation, patience: val.patience, resume: val.resume); }()
    }
}
extension __swift_bridge__$Option$TrainingPlan {
    @inline(__always)
    func intoSwiftRepr() -> Optional<TrainingPlan> {
        if self.is_some {
            return self.val.intoSwiftRepr()
        } else {
            return nil
        }
    }

    @inline(__always)
    static func fromSwiftRepr(_ val: Optional<TrainingPlan>) -> __swift_bridge__$Option$TrainingPlan {
        if let v = val {
            return __swift_bridge__$Option$TrainingPlan(is_some: true, val: v.intoFfiRepr())
        } else {
            return __swift_bridge__$Option$TrainingPlan(is_some: false, val: __swift_bridge__$TrainingPlan())
        }
    }
}
public struct BatchFigures {
    public var epoch: UInt32
    public var batch: UInt32
    public var batches: UInt32
    public var loss: Double

    public init(epoch: UInt32,batch: UInt32,batches: UInt32,loss: Double) {
        self.epoch = epoch
        self.batch = batch
        self.batches = batches
        self.loss = loss
    }

    @inline(__always)
    func intoFfiRepr() -> __swift_bridge__$BatchFigures {
        { let val = self; return __swift_bridge__$BatchFigures(epoch: val.epoch, batch: val.batch, batches: val.batches, loss: val.loss); }()
    }
}
extension __swift_bridge__$BatchFigures {
    @inline(__always)
    func intoSwiftRepr() -> BatchFigures {
        { let val = self; return BatchFigures(epoch: val.epoch, batch: val.batch, batches: val.batches, loss: val.loss); }()
    }
}
extension __swift_bridge__$Option$BatchFigures {
    @inline(__always)
    func intoSwiftRepr() -> Optional<BatchFigures> {
        if self.is_some {
            return self.val.intoSwiftRepr()
        } else {
            return nil
        }
    }

    @inline(__always)
    static func fromSwiftRepr(_ val: Optional<BatchFigures>) -> __swift_bridge__$Option$BatchFigures {
        if let v = val {
            return __swift_bridge__$Option$BatchFigures(is_some: true, val: v.intoFfiRepr())
        } else {
            return __swift_bridge__$Option$BatchFigures(is_some: false, val: __swift_bridge__$BatchFigures())
        }
    }
}
public struct EpochFigures {
    public var epoch: UInt32
    public var learning_rate: Float
    public var training_loss: Double
    public var training_accuracy: Double
    public var has_validation: Bool
    public var validation_loss: Double
    public var validation_accuracy: Double
    public var best: Bool

    public init(epoch: UInt32,learning_rate: Float,training_loss: Double,training_accuracy: Double,has_validation: Bool,validation_loss: Double,validation_accuracy: Double,best: Bool) {
        self.epoch = epoch
        self.learning_rate = learning_rate
        self.training_loss = training_loss
        self.training_accuracy = training_accuracy
        self.has_validation = has_validation
        self.validation_loss = validation_loss
        self.validation_accuracy = validation_accuracy
        self.best = best
    }

    @inline(__always)
    func intoFfiRepr() -> __swift_bridge__$EpochFigures {
        { let val = self; return __swift_bridge__$EpochFigures(epoch: val.epoch, learning_rate: val.learning_rate, training_loss: val.training_loss, training_accuracy: val.training_accuracy, has_validation: val.has_validation, validation_loss: val.validation_loss, validation_accuracy: val.validation_accuracy, best: val.best); }()
    }
}
extension __swift_bridge__$EpochFigures {
    @inline(__always)
    func intoSwiftRepr() -> EpochFigures {
        { let val = self; return EpochFigures(epoch: val.epoch, learning_rate: val.learning_rate, training_loss: val.training_loss, training_accuracy: val.training_accuracy, has_validation: val.has_validation, validation_loss: val.validation_loss, validation_accuracy: val.validation_accuracy, best: val.best); }()
    }
}
extension __swift_bridge__$Option$EpochFigures {
    @inline(__always)
    func intoSwiftRepr() -> Optional<EpochFigures> {
        if self.is_some {
            return self.val.intoSwiftRepr()
        } else {
            return nil
        }
    }

    @inline(__always)
    static func fromSwiftRepr(_ val: Optional<EpochFigures>) -> __swift_bridge__$Option$EpochFigures {
        if let v = val {
            return __swift_bridge__$Option$EpochFigures(is_some: true, val: v.intoFfiRepr())
        } else {
            return __swift_bridge__$Option$EpochFigures(is_some: false, val: __swift_bridge__$EpochFigures())
        }
    }
}
public struct BenchmarkFigures {
    public var frames: UInt32
    public var seconds: Double
    public var preprocess_p50_ms: Double
    public var inference_p50_ms: Double
    public var inference_p95_ms: Double
    public var inference_p99_ms: Double
    public var post_p50_ms: Double
    public var total_p50_ms: Double
    public var total_p95_ms: Double
    public var total_min_ms: Double

    public init(frames: UInt32,seconds: Double,preprocess_p50_ms: Double,inference_p50_ms: Double,inference_p95_ms: Double,inference_p99_ms: Double,post_p50_ms: Double,total_p50_ms: Double,total_p95_ms: Double,total_min_ms: Double) {
        self.frames = frames
        self.seconds = seconds
        self.preprocess_p50_ms = preprocess_p50_ms
        self.inference_p50_ms = inference_p50_ms
        self.inference_p95_ms = inference_p95_ms
        self.inference_p99_ms = inference_p99_ms
        self.post_p50_ms = post_p50_ms
        self.total_p50_ms = total_p50_ms
        self.total_p95_ms = total_p95_ms
        self.total_min_ms = total_min_ms
    }

    @inline(__always)
    func intoFfiRepr() -> __swift_bridge__$BenchmarkFigures {
        { let val = self; return __swift_bridge__$BenchmarkFigures(frames: val.frames, seconds: val.seconds, preprocess_p50_ms: val.preprocess_p50_ms, inference_p50_ms: val.inference_p50_ms, inference_p95_ms: val.inference_p95_ms, inference_p99_ms: val.inference_p99_ms, post_p50_ms: val.post_p50_ms, total_p50_ms: val.total_p50_ms, total_p95_ms: val.total_p95_ms, total_min_ms: val.total_min_ms); }()
    }
}
extension __swift_bridge__$BenchmarkFigures {
    @inline(__always)
    func intoSwiftRepr() -> BenchmarkFigures {
        { let val = self; return BenchmarkFigures(frames: val.frames, seconds: val.seconds, preprocess_p50_ms: val.preprocess_p50_ms, inference_p50_ms: val.inference_p50_ms, inference_p95_ms: val.inference_p95_ms, inference_p99_ms: val.inference_p99_ms, post_p50_ms: val.post_p50_ms, total_p50_ms: val.total_p50_ms, total_p95_ms: val.total_p95_ms, total_min_ms: val.total_min_ms); }()
    }
}
extension __swift_bridge__$Option$BenchmarkFigures {
    @inline(__always)
    func intoSwiftRepr() -> Optional<BenchmarkFigures> {
        if self.is_some {
            return self.val.intoSwiftRepr()
        } else {
            return nil
        }
    }

    @inline(__always)
    static func fromSwiftRepr(_ val: Optional<BenchmarkFigures>) -> __swift_bridge__$Option$BenchmarkFigures {
        if let v = val {
            return __swift_bridge__$Option$BenchmarkFigures(is_some: true, val: v.intoFfiRepr())
        } else {
            return __swift_bridge__$Option$BenchmarkFigures(is_some: false, val: __swift_bridge__$BenchmarkFigures())
        }
    }
}

public class Benchmark: BenchmarkRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$Benchmark$_free(ptr)
        }
    }
}
public class BenchmarkRefMut: BenchmarkRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class BenchmarkRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension BenchmarkRef {
    public func run(_ frames: UInt32) throws -> BenchmarkFigures {
        try { let val = __swift_bridge__$Benchmark$run(ptr, frames); switch val.tag { case __swift_bridge__$ResultBenchmarkFiguresAndFailure$ResultOk: return val.payload.ok.intoSwiftRepr() case __swift_bridge__$ResultBenchmarkFiguresAndFailure$ResultErr: throw Failure(ptr: val.payload.err) default: fatalError() } }()
    }
}
extension Benchmark: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_Benchmark$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_Benchmark$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: Benchmark) {
        __swift_bridge__$Vec_Benchmark$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_Benchmark$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (Benchmark(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<BenchmarkRef> {
        let pointer = __swift_bridge__$Vec_Benchmark$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return BenchmarkRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<BenchmarkRefMut> {
        let pointer = __swift_bridge__$Vec_Benchmark$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return BenchmarkRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<BenchmarkRef> {
        UnsafePointer<BenchmarkRef>(OpaquePointer(__swift_bridge__$Vec_Benchmark$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_Benchmark$len(vecPtr)
    }
}

extension Benchmark: @unchecked Sendable {}
public class Evaluation: EvaluationRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$Evaluation$_free(ptr)
        }
    }
}
public class EvaluationRefMut: EvaluationRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class EvaluationRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension EvaluationRef {
    public func accuracy() -> Double {
        __swift_bridge__$Evaluation$accuracy(ptr)
    }

    public func pictures() -> UInt32 {
        __swift_bridge__$Evaluation$pictures(ptr)
    }

    public func count(_ truth: UInt32, _ answer: Int64) -> UInt64 {
        __swift_bridge__$Evaluation$count(ptr, truth, answer)
    }
}
extension Evaluation: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_Evaluation$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_Evaluation$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: Evaluation) {
        __swift_bridge__$Vec_Evaluation$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_Evaluation$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (Evaluation(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<EvaluationRef> {
        let pointer = __swift_bridge__$Vec_Evaluation$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return EvaluationRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<EvaluationRefMut> {
        let pointer = __swift_bridge__$Vec_Evaluation$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return EvaluationRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<EvaluationRef> {
        UnsafePointer<EvaluationRef>(OpaquePointer(__swift_bridge__$Vec_Evaluation$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_Evaluation$len(vecPtr)
    }
}

extension Evaluation: @unchecked Sendable {}
public class Teacher: TeacherRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$Teacher$_free(ptr)
        }
    }
}
public class TeacherRefMut: TeacherRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class TeacherRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension TeacherRef {
    public func classes() -> RustString {
        RustString(ptr: __swift_bridge__$Teacher$classes(ptr))
    }

    public func pictures(_ class_id: UInt32) -> UInt32 {
        __swift_bridge__$Teacher$pictures(ptr, class_id)
    }

    public func is_trained() -> Bool {
        __swift_bridge__$Teacher$is_trained(ptr)
    }

    public func add_class<GenericIntoRustString: IntoRustString>(_ name: GenericIntoRustString) throws -> UInt32 {
        try { let val = __swift_bridge__$Teacher$add_class(ptr, { let rustString = name.intoRustString(); rustString.isOwned = false; return rustString.ptr }()); switch val.tag { case __swift_bridge__$ResultU32AndFailure$ResultOk: return val.payload.ok case __swift_bridge__$ResultU32AndFailure$ResultErr: throw Failure(ptr: val.payload.err) default: fatalError() } }()
    }

    public func remove_class(_ class_id: UInt32) throws -> () {
        try { let val = __swift_bridge__$Teacher$remove_class(ptr, class_id); if val != nil { throw Failure(ptr: val!) } else { return } }()
    }

    public func add_picture(_ class_id: UInt32, _ buffer: PixelBuffer) throws -> () {
        try { let val = __swift_bridge__$Teacher$add_picture(ptr, class_id, buffer.intoFfiRepr()); if val != nil { throw Failure(ptr: val!) } else { return } }()
    }

    public func classify(_ trained: Bool, _ buffer: PixelBuffer, _ probabilities: UInt, _ capacity: UInt) throws -> Int {
        try { let val = __swift_bridge__$Teacher$classify(ptr, trained, buffer.intoFfiRepr(), probabilities, capacity); switch val.tag { case __swift_bridge__$ResultIntAndFailure$ResultOk: return val.payload.ok case __swift_bridge__$ResultIntAndFailure$ResultErr: throw Failure(ptr: val.payload.err) default: fatalError() } }()
    }

    public func save() throws -> () {
        try { let val = __swift_bridge__$Teacher$save(ptr); if val != nil { throw Failure(ptr: val!) } else { return } }()
    }

    public func reset() throws -> () {
        try { let val = __swift_bridge__$Teacher$reset(ptr); if val != nil { throw Failure(ptr: val!) } else { return } }()
    }

    public func export<GenericIntoRustString: IntoRustString>(_ path: GenericIntoRustString) throws -> () {
        try { let val = __swift_bridge__$Teacher$export(ptr, { let rustString = path.intoRustString(); rustString.isOwned = false; return rustString.ptr }()); if val != nil { throw Failure(ptr: val!) } else { return } }()
    }

    public func train(_ plan: TrainingPlan, _ control: TrainingControlRef, _ listener: TrainingListener) throws -> UInt8 {
        try { let val = __swift_bridge__$Teacher$train(ptr, plan.intoFfiRepr(), control.ptr, Unmanaged.passRetained(listener).toOpaque()); switch val.tag { case __swift_bridge__$ResultU8AndFailure$ResultOk: return val.payload.ok case __swift_bridge__$ResultU8AndFailure$ResultErr: throw Failure(ptr: val.payload.err) default: fatalError() } }()
    }

    public func evaluate(_ folds: UInt32, _ epochs: UInt32, _ control: TrainingControlRef) throws -> Evaluation {
        try { let val = __swift_bridge__$Teacher$evaluate(ptr, folds, epochs, control.ptr); if val.is_ok { return Evaluation(ptr: val.ok_or_err!) } else { throw Failure(ptr: val.ok_or_err!) } }()
    }
}
extension Teacher: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_Teacher$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_Teacher$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: Teacher) {
        __swift_bridge__$Vec_Teacher$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_Teacher$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (Teacher(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<TeacherRef> {
        let pointer = __swift_bridge__$Vec_Teacher$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return TeacherRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<TeacherRefMut> {
        let pointer = __swift_bridge__$Vec_Teacher$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return TeacherRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<TeacherRef> {
        UnsafePointer<TeacherRef>(OpaquePointer(__swift_bridge__$Vec_Teacher$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_Teacher$len(vecPtr)
    }
}

extension Teacher: @unchecked Sendable {}
public class TrainingControl: TrainingControlRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$TrainingControl$_free(ptr)
        }
    }
}
public class TrainingControlRefMut: TrainingControlRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class TrainingControlRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension TrainingControlRef {
    public func cancel() {
        __swift_bridge__$TrainingControl$cancel(ptr)
    }

    public func pause() {
        __swift_bridge__$TrainingControl$pause(ptr)
    }

    public func resume() {
        __swift_bridge__$TrainingControl$resume(ptr)
    }

    public func set_learning_rate(_ rate: Float) {
        __swift_bridge__$TrainingControl$set_learning_rate(ptr, rate)
    }
}
extension TrainingControl: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_TrainingControl$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_TrainingControl$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: TrainingControl) {
        __swift_bridge__$Vec_TrainingControl$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_TrainingControl$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (TrainingControl(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<TrainingControlRef> {
        let pointer = __swift_bridge__$Vec_TrainingControl$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return TrainingControlRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<TrainingControlRefMut> {
        let pointer = __swift_bridge__$Vec_TrainingControl$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return TrainingControlRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<TrainingControlRef> {
        UnsafePointer<TrainingControlRef>(OpaquePointer(__swift_bridge__$Vec_TrainingControl$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_TrainingControl$len(vecPtr)
    }
}

extension TrainingControl: @unchecked Sendable {}
public class DigitReader: DigitReaderRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$DigitReader$_free(ptr)
        }
    }
}
public class DigitReaderRefMut: DigitReaderRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class DigitReaderRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension DigitReaderRef {
    public func read_strokes(_ xy: UInt, _ points: UInt, _ lengths: UInt, _ strokes: UInt, _ probabilities: UInt) throws -> UInt8 {
        try { let val = __swift_bridge__$DigitReader$read_strokes(ptr, xy, points, lengths, strokes, probabilities); switch val.tag { case __swift_bridge__$ResultU8AndFailure$ResultOk: return val.payload.ok case __swift_bridge__$ResultU8AndFailure$ResultErr: throw Failure(ptr: val.payload.err) default: fatalError() } }()
    }

    public func read_gray(_ address: UInt, _ width: UInt32, _ height: UInt32, _ probabilities: UInt) throws -> UInt8 {
        try { let val = __swift_bridge__$DigitReader$read_gray(ptr, address, width, height, probabilities); switch val.tag { case __swift_bridge__$ResultU8AndFailure$ResultOk: return val.payload.ok case __swift_bridge__$ResultU8AndFailure$ResultErr: throw Failure(ptr: val.payload.err) default: fatalError() } }()
    }
}
extension DigitReader: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_DigitReader$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_DigitReader$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: DigitReader) {
        __swift_bridge__$Vec_DigitReader$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_DigitReader$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (DigitReader(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<DigitReaderRef> {
        let pointer = __swift_bridge__$Vec_DigitReader$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return DigitReaderRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<DigitReaderRefMut> {
        let pointer = __swift_bridge__$Vec_DigitReader$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return DigitReaderRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<DigitReaderRef> {
        UnsafePointer<DigitReaderRef>(OpaquePointer(__swift_bridge__$Vec_DigitReader$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_DigitReader$len(vecPtr)
    }
}

extension DigitReader: @unchecked Sendable {}
public class Motion: MotionRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$Motion$_free(ptr)
        }
    }
}
public class MotionRefMut: MotionRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class MotionRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension MotionRef {
    public func channels() -> RustString {
        RustString(ptr: __swift_bridge__$Motion$channels(ptr))
    }

    public func labels() -> RustString {
        RustString(ptr: __swift_bridge__$Motion$labels(ptr))
    }

    public func rate() -> Double {
        __swift_bridge__$Motion$rate(ptr)
    }

    public func sensor_rate() -> Double {
        __swift_bridge__$Motion$sensor_rate(ptr)
    }

    public func push(_ time: Double, _ values: UInt, _ count: UInt) throws -> Bool {
        try { let val = __swift_bridge__$Motion$push(ptr, time, values, count); switch val.tag { case __swift_bridge__$ResultBoolAndFailure$ResultOk: return val.payload.ok case __swift_bridge__$ResultBoolAndFailure$ResultErr: throw Failure(ptr: val.payload.err) default: fatalError() } }()
    }

    public func time() -> Double {
        __swift_bridge__$Motion$time(ptr)
    }

    public func class_id() -> Int64 {
        __swift_bridge__$Motion$class_id(ptr)
    }

    public func copy_probabilities(_ smoothed: Bool, _ address: UInt, _ capacity: UInt) -> UInt {
        __swift_bridge__$Motion$copy_probabilities(ptr, smoothed, address, capacity)
    }

    public func counts() -> MotionCounts {
        __swift_bridge__$Motion$counts(ptr).intoSwiftRepr()
    }

    public func reset() {
        __swift_bridge__$Motion$reset(ptr)
    }
}
extension Motion: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_Motion$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_Motion$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: Motion) {
        __swift_bridge__$Vec_Motion$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_Motion$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (Motion(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<MotionRef> {
        let pointer = __swift_bridge__$Vec_Motion$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return MotionRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<MotionRefMut> {
        let pointer = __swift_bridge__$Vec_Motion$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return MotionRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<MotionRef> {
        UnsafePointer<MotionRef>(OpaquePointer(__swift_bridge__$Vec_Motion$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_Motion$len(vecPtr)
    }
}

extension Motion: @unchecked Sendable {}
public class Governor: GovernorRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$Governor$_free(ptr)
        }
    }
}
public class GovernorRefMut: GovernorRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class GovernorRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension GovernorRef {
    public func decide(_ reading: PaceReading) -> PaceDecision {
        __swift_bridge__$Governor$decide(ptr, reading.intoFfiRepr()).intoSwiftRepr()
    }
}
extension Governor: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_Governor$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_Governor$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: Governor) {
        __swift_bridge__$Vec_Governor$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_Governor$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (Governor(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<GovernorRef> {
        let pointer = __swift_bridge__$Vec_Governor$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return GovernorRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<GovernorRefMut> {
        let pointer = __swift_bridge__$Vec_Governor$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return GovernorRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<GovernorRef> {
        UnsafePointer<GovernorRef>(OpaquePointer(__swift_bridge__$Vec_Governor$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_Governor$len(vecPtr)
    }
}

extension Governor: @unchecked Sendable {}
public class Session: SessionRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$Session$_free(ptr)
        }
    }
}
public class SessionRefMut: SessionRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class SessionRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension SessionRef {
    public func submit(_ buffer: PixelBuffer) throws -> Int {
        try { let val = __swift_bridge__$Session$submit(ptr, buffer.intoFfiRepr()); switch val.tag { case __swift_bridge__$ResultIntAndFailure$ResultOk: return val.payload.ok case __swift_bridge__$ResultIntAndFailure$ResultErr: throw Failure(ptr: val.payload.err) default: fatalError() } }()
    }

    public func next(_ timeout_ms: UInt32) -> Optional<Findings> {
        { let val = __swift_bridge__$Session$next(ptr, timeout_ms); if val != nil { return Findings(ptr: val!) } else { return nil } }()
    }

    public func tracks_at(_ time_ns: Int64) -> Findings {
        Findings(ptr: __swift_bridge__$Session$tracks_at(ptr, time_ns))
    }

    public func tune(_ options: SessionOptionsRef) throws -> () {
        try { let val = __swift_bridge__$Session$tune(ptr, options.ptr); if val != nil { throw Failure(ptr: val!) } else { return } }()
    }

    public func replace_model(_ source: ModelSourceRef, _ options: SessionOptionsRef) throws -> () {
        try { let val = __swift_bridge__$Session$replace_model(ptr, source.ptr, options.ptr); if val != nil { throw Failure(ptr: val!) } else { return } }()
    }

    public func start_recording<GenericIntoRustString: IntoRustString>(_ path: GenericIntoRustString) throws -> () {
        try { let val = __swift_bridge__$Session$start_recording(ptr, { let rustString = path.intoRustString(); rustString.isOwned = false; return rustString.ptr }()); if val != nil { throw Failure(ptr: val!) } else { return } }()
    }

    public func stop_recording() throws -> () {
        try { let val = __swift_bridge__$Session$stop_recording(ptr); if val != nil { throw Failure(ptr: val!) } else { return } }()
    }

    public func labels() -> RustString {
        RustString(ptr: __swift_bridge__$Session$labels(ptr))
    }

    public func set_interval(_ interval: UInt32) {
        __swift_bridge__$Session$set_interval(ptr, interval)
    }

    public func pause() {
        __swift_bridge__$Session$pause(ptr)
    }

    public func resume() {
        __swift_bridge__$Session$resume(ptr)
    }

    public func state() -> UInt8 {
        __swift_bridge__$Session$state(ptr)
    }

    public func ledger() -> LedgerFigures {
        __swift_bridge__$Session$ledger(ptr).intoSwiftRepr()
    }

    public func stage(_ stage: UInt8) -> StageFigures {
        __swift_bridge__$Session$stage(ptr, stage).intoSwiftRepr()
    }

    public func fps() -> Double {
        __swift_bridge__$Session$fps(ptr)
    }

    public func recent_inference_ms() -> Double {
        __swift_bridge__$Session$recent_inference_ms(ptr)
    }

    public func summary() -> RustString {
        RustString(ptr: __swift_bridge__$Session$summary(ptr))
    }

    public func shutdown() -> Bool {
        __swift_bridge__$Session$shutdown(ptr)
    }
}
extension Session: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_Session$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_Session$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: Session) {
        __swift_bridge__$Vec_Session$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_Session$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (Session(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<SessionRef> {
        let pointer = __swift_bridge__$Vec_Session$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return SessionRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<SessionRefMut> {
        let pointer = __swift_bridge__$Vec_Session$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return SessionRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<SessionRef> {
        UnsafePointer<SessionRef>(OpaquePointer(__swift_bridge__$Vec_Session$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_Session$len(vecPtr)
    }
}

extension Session: @unchecked Sendable {}
public class Findings: FindingsRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$Findings$_free(ptr)
        }
    }
}
public class FindingsRefMut: FindingsRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class FindingsRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension FindingsRef {
    public func facts() -> FindingsFacts {
        __swift_bridge__$Findings$facts(ptr).intoSwiftRepr()
    }

    public func failure() -> Optional<Failure> {
        { let val = __swift_bridge__$Findings$failure(ptr); if val != nil { return Failure(ptr: val!) } else { return nil } }()
    }

    public func copy_objects(_ tracks: Bool, _ floats: UInt, _ integers: UInt, _ capacity: UInt) -> UInt {
        __swift_bridge__$Findings$copy_objects(ptr, tracks, floats, integers, capacity)
    }
}
extension Findings: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_Findings$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_Findings$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: Findings) {
        __swift_bridge__$Vec_Findings$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_Findings$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (Findings(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<FindingsRef> {
        let pointer = __swift_bridge__$Vec_Findings$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return FindingsRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<FindingsRefMut> {
        let pointer = __swift_bridge__$Vec_Findings$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return FindingsRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<FindingsRef> {
        UnsafePointer<FindingsRef>(OpaquePointer(__swift_bridge__$Vec_Findings$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_Findings$len(vecPtr)
    }
}

extension Findings: @unchecked Sendable {}
public class SessionOptions: SessionOptionsRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$SessionOptions$_free(ptr)
        }
    }
}
public class SessionOptionsRefMut: SessionOptionsRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class SessionOptionsRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension SessionOptionsRef {
    public func set_score_threshold(_ threshold: Float) {
        __swift_bridge__$SessionOptions$set_score_threshold(ptr, threshold)
    }

    public func set_class_threshold<GenericIntoRustString: IntoRustString>(_ name: GenericIntoRustString, _ threshold: Float) {
        __swift_bridge__$SessionOptions$set_class_threshold(ptr, { let rustString = name.intoRustString(); rustString.isOwned = false; return rustString.ptr }(), threshold)
    }

    public func allow_class<GenericIntoRustString: IntoRustString>(_ name: GenericIntoRustString) {
        __swift_bridge__$SessionOptions$allow_class(ptr, { let rustString = name.intoRustString(); rustString.isOwned = false; return rustString.ptr }())
    }

    public func deny_class<GenericIntoRustString: IntoRustString>(_ name: GenericIntoRustString) {
        __swift_bridge__$SessionOptions$deny_class(ptr, { let rustString = name.intoRustString(); rustString.isOwned = false; return rustString.ptr }())
    }

    public func set_max_detections(_ count: UInt32) {
        __swift_bridge__$SessionOptions$set_max_detections(ptr, count)
    }

    public func set_suppression(_ kind: UInt8, _ iou_threshold: Float) throws -> () {
        try { let val = __swift_bridge__$SessionOptions$set_suppression(ptr, kind, iou_threshold); if val != nil { throw Failure(ptr: val!) } else { return } }()
    }

    public func set_threads(_ threads: UInt32) {
        __swift_bridge__$SessionOptions$set_threads(ptr, threads)
    }

    public func set_tracking(_ on: Bool) {
        __swift_bridge__$SessionOptions$set_tracking(ptr, on)
    }

    public func set_max_age_ms(_ ms: UInt32) {
        __swift_bridge__$SessionOptions$set_max_age_ms(ptr, ms)
    }

    public func set_antialiased(_ on: Bool) {
        __swift_bridge__$SessionOptions$set_antialiased(ptr, on)
    }

    public func set_warm_up(_ on: Bool) {
        __swift_bridge__$SessionOptions$set_warm_up(ptr, on)
    }
}
extension SessionOptions: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_SessionOptions$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_SessionOptions$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: SessionOptions) {
        __swift_bridge__$Vec_SessionOptions$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_SessionOptions$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (SessionOptions(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<SessionOptionsRef> {
        let pointer = __swift_bridge__$Vec_SessionOptions$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return SessionOptionsRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<SessionOptionsRefMut> {
        let pointer = __swift_bridge__$Vec_SessionOptions$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return SessionOptionsRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<SessionOptionsRef> {
        UnsafePointer<SessionOptionsRef>(OpaquePointer(__swift_bridge__$Vec_SessionOptions$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_SessionOptions$len(vecPtr)
    }
}

extension SessionOptions: @unchecked Sendable {}
public class ModelSource: ModelSourceRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$ModelSource$_free(ptr)
        }
    }
}
public class ModelSourceRefMut: ModelSourceRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class ModelSourceRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension ModelSourceRef {
    public func name() -> RustString {
        RustString(ptr: __swift_bridge__$ModelSource$name(ptr))
    }

    public func description() -> RustString {
        RustString(ptr: __swift_bridge__$ModelSource$description(ptr))
    }

    public func labels() -> RustString {
        RustString(ptr: __swift_bridge__$ModelSource$labels(ptr))
    }

    public func file_bytes() -> UInt64 {
        __swift_bridge__$ModelSource$file_bytes(ptr)
    }

    public func arena_bytes() -> UInt64 {
        __swift_bridge__$ModelSource$arena_bytes(ptr)
    }

    public func input_width() -> UInt32 {
        __swift_bridge__$ModelSource$input_width(ptr)
    }

    public func input_height() -> UInt32 {
        __swift_bridge__$ModelSource$input_height(ptr)
    }
}
extension ModelSource: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_ModelSource$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_ModelSource$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: ModelSource) {
        __swift_bridge__$Vec_ModelSource$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_ModelSource$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (ModelSource(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<ModelSourceRef> {
        let pointer = __swift_bridge__$Vec_ModelSource$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return ModelSourceRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<ModelSourceRefMut> {
        let pointer = __swift_bridge__$Vec_ModelSource$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return ModelSourceRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<ModelSourceRef> {
        UnsafePointer<ModelSourceRef>(OpaquePointer(__swift_bridge__$Vec_ModelSource$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_ModelSource$len(vecPtr)
    }
}

extension ModelSource: @unchecked Sendable {}
public class Failure: FailureRefMut {
    var isOwned: Bool = true

    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }

    deinit {
        if isOwned {
            __swift_bridge__$Failure$_free(ptr)
        }
    }
}
public class FailureRefMut: FailureRef {
    public override init(ptr: UnsafeMutableRawPointer) {
        super.init(ptr: ptr)
    }
}
public class FailureRef {
    var ptr: UnsafeMutableRawPointer

    public init(ptr: UnsafeMutableRawPointer) {
        self.ptr = ptr
    }
}
extension FailureRef {
    public func kind() -> UInt32 {
        __swift_bridge__$Failure$kind(ptr)
    }

    public func message() -> RustString {
        RustString(ptr: __swift_bridge__$Failure$message(ptr))
    }
}
extension Failure: Vectorizable {
    public static func vecOfSelfNew() -> UnsafeMutableRawPointer {
        __swift_bridge__$Vec_Failure$new()
    }

    public static func vecOfSelfFree(vecPtr: UnsafeMutableRawPointer) {
        __swift_bridge__$Vec_Failure$drop(vecPtr)
    }

    public static func vecOfSelfPush(vecPtr: UnsafeMutableRawPointer, value: Failure) {
        __swift_bridge__$Vec_Failure$push(vecPtr, {value.isOwned = false; return value.ptr;}())
    }

    public static func vecOfSelfPop(vecPtr: UnsafeMutableRawPointer) -> Optional<Self> {
        let pointer = __swift_bridge__$Vec_Failure$pop(vecPtr)
        if pointer == nil {
            return nil
        } else {
            return (Failure(ptr: pointer!) as! Self)
        }
    }

    public static func vecOfSelfGet(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<FailureRef> {
        let pointer = __swift_bridge__$Vec_Failure$get(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return FailureRef(ptr: pointer!)
        }
    }

    public static func vecOfSelfGetMut(vecPtr: UnsafeMutableRawPointer, index: UInt) -> Optional<FailureRefMut> {
        let pointer = __swift_bridge__$Vec_Failure$get_mut(vecPtr, index)
        if pointer == nil {
            return nil
        } else {
            return FailureRefMut(ptr: pointer!)
        }
    }

    public static func vecOfSelfAsPtr(vecPtr: UnsafeMutableRawPointer) -> UnsafePointer<FailureRef> {
        UnsafePointer<FailureRef>(OpaquePointer(__swift_bridge__$Vec_Failure$as_ptr(vecPtr)))
    }

    public static func vecOfSelfLen(vecPtr: UnsafeMutableRawPointer) -> UInt {
        __swift_bridge__$Vec_Failure$len(vecPtr)
    }
}

extension Failure: @unchecked Sendable {}
@_cdecl("__swift_bridge__$TrainingListener$_free")
func __swift_bridge__TrainingListener__free (ptr: UnsafeMutableRawPointer) {
    let _ = Unmanaged<TrainingListener>.fromOpaque(ptr).takeRetainedValue()
}
protocol __swift_bridge__IsSendable: Sendable {}
extension TrainingListener: __swift_bridge__IsSendable {}

@_cdecl("__swift_bridge__$ResultListener$_free")
func __swift_bridge__ResultListener__free (ptr: UnsafeMutableRawPointer) {
    let _ = Unmanaged<ResultListener>.fromOpaque(ptr).takeRetainedValue()
}
extension ResultListener: __swift_bridge__IsSendable {}
