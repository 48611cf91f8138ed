import * as $ from "capnp-es";
export declare const _capnpFileId = 16622736087357922305n;
export declare class Config extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultStructuredLogging: DataView<ArrayBufferLike>;
    };
    static _Services: $.ListCtor<Service>;
    static _Sockets: $.ListCtor<Socket>;
    static _Extensions: $.ListCtor<Extension>;
    _adoptServices(value: $.Orphan<$.List<Service>>): void;
    _disownServices(): $.Orphan<$.List<Service>>;
    get services(): $.List<Service>;
    _hasServices(): boolean;
    _initServices(length: number): $.List<Service>;
    set services(value: $.List<Service>);
    _adoptSockets(value: $.Orphan<$.List<Socket>>): void;
    _disownSockets(): $.Orphan<$.List<Socket>>;
    get sockets(): $.List<Socket>;
    _hasSockets(): boolean;
    _initSockets(length: number): $.List<Socket>;
    set sockets(value: $.List<Socket>);
    _adoptV8Flags(value: $.Orphan<$.List<string>>): void;
    _disownV8Flags(): $.Orphan<$.List<string>>;
    get v8Flags(): $.List<string>;
    _hasV8Flags(): boolean;
    _initV8Flags(length: number): $.List<string>;
    set v8Flags(value: $.List<string>);
    _adoptExtensions(value: $.Orphan<$.List<Extension>>): void;
    _disownExtensions(): $.Orphan<$.List<Extension>>;
    get extensions(): $.List<Extension>;
    _hasExtensions(): boolean;
    _initExtensions(length: number): $.List<Extension>;
    set extensions(value: $.List<Extension>);
    _adoptAutogates(value: $.Orphan<$.List<string>>): void;
    _disownAutogates(): $.Orphan<$.List<string>>;
    get autogates(): $.List<string>;
    _hasAutogates(): boolean;
    _initAutogates(length: number): $.List<string>;
    set autogates(value: $.List<string>);
    get structuredLogging(): boolean;
    set structuredLogging(value: boolean);
    _adoptLogging(value: $.Orphan<LoggingOptions>): void;
    _disownLogging(): $.Orphan<LoggingOptions>;
    get logging(): LoggingOptions;
    _hasLogging(): boolean;
    _initLogging(): LoggingOptions;
    set logging(value: LoggingOptions);
    _adoptCluster(value: $.Orphan<ClusterConfig>): void;
    _disownCluster(): $.Orphan<ClusterConfig>;
    get cluster(): ClusterConfig;
    _hasCluster(): boolean;
    _initCluster(): ClusterConfig;
    set cluster(value: ClusterConfig);
    toString(): string;
}
export declare class ClusterConfig extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultUnsafePublicAddress: DataView<ArrayBufferLike>;
        defaultStopTimeoutMs: DataView<ArrayBufferLike>;
        defaultUnsafeTimeDivisor: DataView<ArrayBufferLike>;
    };
    get bucket(): string;
    set bucket(value: string);
    _adoptBucketOptions(value: $.Orphan<$.List<string>>): void;
    _disownBucketOptions(): $.Orphan<$.List<string>>;
    get bucketOptions(): $.List<string>;
    _hasBucketOptions(): boolean;
    _initBucketOptions(length: number): $.List<string>;
    set bucketOptions(value: $.List<string>);
    get address(): string;
    set address(value: string);
    get advertise(): string;
    set advertise(value: string);
    get key(): string;
    set key(value: string);
    get unsafePublicAddress(): boolean;
    set unsafePublicAddress(value: boolean);
    get stopTimeoutMs(): number;
    set stopTimeoutMs(value: number);
    get unsafeTimeDivisor(): number;
    set unsafeTimeDivisor(value: number);
    toString(): string;
}
export declare class LoggingOptions extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultStructuredLogging: DataView<ArrayBufferLike>;
    };
    get structuredLogging(): boolean;
    set structuredLogging(value: boolean);
    get stdoutPrefix(): string;
    set stdoutPrefix(value: string);
    get stderrPrefix(): string;
    set stderrPrefix(value: string);
    toString(): string;
}
export declare const Socket_TcpTlsMode: {
    readonly IMPLICIT: 0;
    readonly START_TLS: 1;
};
export type Socket_TcpTlsMode = (typeof Socket_TcpTlsMode)[keyof typeof Socket_TcpTlsMode];
export declare class Socket_Https extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    _adoptOptions(value: $.Orphan<HttpOptions>): void;
    _disownOptions(): $.Orphan<HttpOptions>;
    get options(): HttpOptions;
    _hasOptions(): boolean;
    _initOptions(): HttpOptions;
    set options(value: HttpOptions);
    _adoptTlsOptions(value: $.Orphan<TlsOptions>): void;
    _disownTlsOptions(): $.Orphan<TlsOptions>;
    get tlsOptions(): TlsOptions;
    _hasTlsOptions(): boolean;
    _initTlsOptions(): TlsOptions;
    set tlsOptions(value: TlsOptions);
    toString(): string;
}
export declare class Socket_Tcp extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultTlsMode: DataView<ArrayBufferLike>;
    };
    _adoptTlsOptions(value: $.Orphan<TlsOptions>): void;
    _disownTlsOptions(): $.Orphan<TlsOptions>;
    get tlsOptions(): TlsOptions;
    _hasTlsOptions(): boolean;
    _initTlsOptions(): TlsOptions;
    set tlsOptions(value: TlsOptions);
    get tlsMode(): Socket_TcpTlsMode;
    set tlsMode(value: Socket_TcpTlsMode);
    toString(): string;
}
export declare class Socket_Udp extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultIdleTimeoutMs: DataView<ArrayBufferLike>;
        defaultMaxPendingBytes: DataView<ArrayBufferLike>;
    };
    get idleTimeoutMs(): number;
    set idleTimeoutMs(value: number);
    get maxPendingBytes(): number;
    set maxPendingBytes(value: number);
    toString(): string;
}
export declare const Socket_Which: {
    readonly HTTP: 0;
    readonly HTTPS: 1;
    readonly TCP: 2;
    readonly UDP: 3;
};
export type Socket_Which = (typeof Socket_Which)[keyof typeof Socket_Which];
export declare class Socket extends $.Struct {
    static readonly HTTP: 0;
    static readonly HTTPS: 1;
    static readonly TCP: 2;
    static readonly UDP: 3;
    static readonly TcpTlsMode: {
        readonly IMPLICIT: 0;
        readonly START_TLS: 1;
    };
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get name(): string;
    set name(value: string);
    get address(): string;
    set address(value: string);
    _adoptHttp(value: $.Orphan<HttpOptions>): void;
    _disownHttp(): $.Orphan<HttpOptions>;
    get http(): HttpOptions;
    _hasHttp(): boolean;
    _initHttp(): HttpOptions;
    get _isHttp(): boolean;
    set http(value: HttpOptions);
    get https(): Socket_Https;
    _initHttps(): Socket_Https;
    get _isHttps(): boolean;
    set https(_: true);
    get tcp(): Socket_Tcp;
    _initTcp(): Socket_Tcp;
    get _isTcp(): boolean;
    set tcp(_: true);
    get udp(): Socket_Udp;
    _initUdp(): Socket_Udp;
    get _isUdp(): boolean;
    set udp(_: true);
    _adoptService(value: $.Orphan<ServiceDesignator>): void;
    _disownService(): $.Orphan<ServiceDesignator>;
    get service(): ServiceDesignator;
    _hasService(): boolean;
    _initService(): ServiceDesignator;
    set service(value: ServiceDesignator);
    toString(): string;
    which(): Socket_Which;
}
export declare const Service_Which: {
    readonly UNSPECIFIED: 0;
    readonly WORKER: 1;
    readonly NETWORK: 2;
    readonly EXTERNAL: 3;
    readonly DISK: 4;
    readonly BUCKET: 5;
    readonly ASSETS: 6;
};
export type Service_Which = (typeof Service_Which)[keyof typeof Service_Which];
export declare class Service extends $.Struct {
    static readonly UNSPECIFIED: 0;
    static readonly WORKER: 1;
    static readonly NETWORK: 2;
    static readonly EXTERNAL: 3;
    static readonly DISK: 4;
    static readonly BUCKET: 5;
    static readonly ASSETS: 6;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get name(): string;
    set name(value: string);
    get _isUnspecified(): boolean;
    set unspecified(_: true);
    _adoptWorker(value: $.Orphan<Worker>): void;
    _disownWorker(): $.Orphan<Worker>;
    get worker(): Worker;
    _hasWorker(): boolean;
    _initWorker(): Worker;
    get _isWorker(): boolean;
    set worker(value: Worker);
    _adoptNetwork(value: $.Orphan<Network>): void;
    _disownNetwork(): $.Orphan<Network>;
    get network(): Network;
    _hasNetwork(): boolean;
    _initNetwork(): Network;
    get _isNetwork(): boolean;
    set network(value: Network);
    _adoptExternal(value: $.Orphan<ExternalServer>): void;
    _disownExternal(): $.Orphan<ExternalServer>;
    get external(): ExternalServer;
    _hasExternal(): boolean;
    _initExternal(): ExternalServer;
    get _isExternal(): boolean;
    set external(value: ExternalServer);
    _adoptDisk(value: $.Orphan<DiskDirectory>): void;
    _disownDisk(): $.Orphan<DiskDirectory>;
    get disk(): DiskDirectory;
    _hasDisk(): boolean;
    _initDisk(): DiskDirectory;
    get _isDisk(): boolean;
    set disk(value: DiskDirectory);
    _adoptBucket(value: $.Orphan<ClusterBucket>): void;
    _disownBucket(): $.Orphan<ClusterBucket>;
    get bucket(): ClusterBucket;
    _hasBucket(): boolean;
    _initBucket(): ClusterBucket;
    get _isBucket(): boolean;
    set bucket(value: ClusterBucket);
    _adoptAssets(value: $.Orphan<AssetsService>): void;
    _disownAssets(): $.Orphan<AssetsService>;
    get assets(): AssetsService;
    _hasAssets(): boolean;
    _initAssets(): AssetsService;
    get _isAssets(): boolean;
    set assets(value: AssetsService);
    toString(): string;
    which(): Service_Which;
}
export declare class ClusterBucket extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get path(): string;
    set path(value: string);
    toString(): string;
}
export declare class AssetsService extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get path(): string;
    set path(value: string);
    get config(): string;
    set config(value: string);
    _adoptUserWorker(value: $.Orphan<ServiceDesignator>): void;
    _disownUserWorker(): $.Orphan<ServiceDesignator>;
    get userWorker(): ServiceDesignator;
    _hasUserWorker(): boolean;
    _initUserWorker(): ServiceDesignator;
    set userWorker(value: ServiceDesignator);
    get compatibilityDate(): string;
    set compatibilityDate(value: string);
    _adoptCompatibilityFlags(value: $.Orphan<$.List<string>>): void;
    _disownCompatibilityFlags(): $.Orphan<$.List<string>>;
    get compatibilityFlags(): $.List<string>;
    _hasCompatibilityFlags(): boolean;
    _initCompatibilityFlags(length: number): $.List<string>;
    set compatibilityFlags(value: $.List<string>);
    toString(): string;
}
export declare const ServiceDesignator_Props_Which: {
    readonly EMPTY: 0;
    readonly JSON: 1;
};
export type ServiceDesignator_Props_Which = (typeof ServiceDesignator_Props_Which)[keyof typeof ServiceDesignator_Props_Which];
export declare class ServiceDesignator_Props extends $.Struct {
    static readonly EMPTY: 0;
    static readonly JSON: 1;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get _isEmpty(): boolean;
    set empty(_: true);
    get json(): string;
    get _isJson(): boolean;
    set json(value: string);
    toString(): string;
    which(): ServiceDesignator_Props_Which;
}
export declare class ServiceDesignator extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get name(): string;
    set name(value: string);
    get entrypoint(): string;
    set entrypoint(value: string);
    get props(): ServiceDesignator_Props;
    _initProps(): ServiceDesignator_Props;
    toString(): string;
}
export declare class WorkflowsEngine_Workflow extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get className(): string;
    set className(value: string);
    get name(): string;
    set name(value: string);
    _adoptBindingService(value: $.Orphan<ServiceDesignator>): void;
    _disownBindingService(): $.Orphan<ServiceDesignator>;
    get bindingService(): ServiceDesignator;
    _hasBindingService(): boolean;
    _initBindingService(): ServiceDesignator;
    set bindingService(value: ServiceDesignator);
    toString(): string;
}
export declare class WorkflowsEngine extends $.Struct {
    static readonly Workflow: typeof WorkflowsEngine_Workflow;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    static _Workflows: $.ListCtor<WorkflowsEngine_Workflow>;
    _adoptActorClass(value: $.Orphan<ServiceDesignator>): void;
    _disownActorClass(): $.Orphan<ServiceDesignator>;
    get actorClass(): ServiceDesignator;
    _hasActorClass(): boolean;
    _initActorClass(): ServiceDesignator;
    set actorClass(value: ServiceDesignator);
    _adoptWorkflows(value: $.Orphan<$.List<WorkflowsEngine_Workflow>>): void;
    _disownWorkflows(): $.Orphan<$.List<WorkflowsEngine_Workflow>>;
    get workflows(): $.List<WorkflowsEngine_Workflow>;
    _hasWorkflows(): boolean;
    _initWorkflows(length: number): $.List<WorkflowsEngine_Workflow>;
    set workflows(value: $.List<WorkflowsEngine_Workflow>);
    toString(): string;
}
export declare const Worker_Module_Which: {
    readonly ES_MODULE: 0;
    readonly COMMON_JS_MODULE: 1;
    readonly TEXT: 2;
    readonly DATA: 3;
    readonly WASM: 4;
    readonly JSON: 5;
    readonly OBSOLETE: 6;
    readonly PYTHON_MODULE: 7;
    readonly OBSOLETE_PYTHON_REQUIREMENT: 8;
    readonly BUNDLED: 9;
};
export type Worker_Module_Which = (typeof Worker_Module_Which)[keyof typeof Worker_Module_Which];
export declare class Worker_Module extends $.Struct {
    static readonly ES_MODULE: 0;
    static readonly COMMON_JS_MODULE: 1;
    static readonly TEXT: 2;
    static readonly DATA: 3;
    static readonly WASM: 4;
    static readonly JSON: 5;
    static readonly OBSOLETE: 6;
    static readonly PYTHON_MODULE: 7;
    static readonly OBSOLETE_PYTHON_REQUIREMENT: 8;
    static readonly BUNDLED: 9;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get name(): string;
    set name(value: string);
    get esModule(): string;
    get _isEsModule(): boolean;
    set esModule(value: string);
    get commonJsModule(): string;
    get _isCommonJsModule(): boolean;
    set commonJsModule(value: string);
    get text(): string;
    get _isText(): boolean;
    set text(value: string);
    _adoptData(value: $.Orphan<$.Data>): void;
    _disownData(): $.Orphan<$.Data>;
    get data(): $.Data;
    _hasData(): boolean;
    _initData(length: number): $.Data;
    get _isData(): boolean;
    set data(value: $.Data);
    _adoptWasm(value: $.Orphan<$.Data>): void;
    _disownWasm(): $.Orphan<$.Data>;
    get wasm(): $.Data;
    _hasWasm(): boolean;
    _initWasm(length: number): $.Data;
    get _isWasm(): boolean;
    set wasm(value: $.Data);
    get json(): string;
    get _isJson(): boolean;
    set json(value: string);
    get obsolete(): string;
    get _isObsolete(): boolean;
    set obsolete(value: string);
    get pythonModule(): string;
    get _isPythonModule(): boolean;
    set pythonModule(value: string);
    get obsoletePythonRequirement(): string;
    get _isObsoletePythonRequirement(): boolean;
    set obsoletePythonRequirement(value: string);
    get bundled(): string;
    get _isBundled(): boolean;
    set bundled(value: string);
    _adoptNamedExports(value: $.Orphan<$.List<string>>): void;
    _disownNamedExports(): $.Orphan<$.List<string>>;
    get namedExports(): $.List<string>;
    _hasNamedExports(): boolean;
    _initNamedExports(length: number): $.List<string>;
    set namedExports(value: $.List<string>);
    toString(): string;
    which(): Worker_Module_Which;
}
export declare const Worker_Binding_Type_Which: {
    readonly UNSPECIFIED: 0;
    readonly TEXT: 1;
    readonly DATA: 2;
    readonly JSON: 3;
    readonly WASM: 4;
    readonly CRYPTO_KEY: 5;
    readonly SERVICE: 6;
    readonly DURABLE_OBJECT_NAMESPACE: 7;
    readonly KV_NAMESPACE: 8;
    readonly R2BUCKET: 9;
    readonly OBSOLETE0: 10;
    readonly QUEUE: 11;
    readonly ANALYTICS_ENGINE: 12;
    readonly HYPERDRIVE: 13;
    readonly DURABLE_OBJECT_CLASS: 14;
    readonly WORKERD_DEBUG_PORT: 15;
};
export type Worker_Binding_Type_Which = (typeof Worker_Binding_Type_Which)[keyof typeof Worker_Binding_Type_Which];
export declare class Worker_Binding_Type extends $.Struct {
    static readonly UNSPECIFIED: 0;
    static readonly TEXT: 1;
    static readonly DATA: 2;
    static readonly JSON: 3;
    static readonly WASM: 4;
    static readonly CRYPTO_KEY: 5;
    static readonly SERVICE: 6;
    static readonly DURABLE_OBJECT_NAMESPACE: 7;
    static readonly KV_NAMESPACE: 8;
    static readonly R2BUCKET: 9;
    static readonly OBSOLETE0: 10;
    static readonly QUEUE: 11;
    static readonly ANALYTICS_ENGINE: 12;
    static readonly HYPERDRIVE: 13;
    static readonly DURABLE_OBJECT_CLASS: 14;
    static readonly WORKERD_DEBUG_PORT: 15;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get _isUnspecified(): boolean;
    set unspecified(_: true);
    get _isText(): boolean;
    set text(_: true);
    get _isData(): boolean;
    set data(_: true);
    get _isJson(): boolean;
    set json(_: true);
    get _isWasm(): boolean;
    set wasm(_: true);
    _adoptCryptoKey(value: $.Orphan<$.List<Worker_Binding_CryptoKey_Usage>>): void;
    _disownCryptoKey(): $.Orphan<$.List<Worker_Binding_CryptoKey_Usage>>;
    get cryptoKey(): $.List<Worker_Binding_CryptoKey_Usage>;
    _hasCryptoKey(): boolean;
    _initCryptoKey(length: number): $.List<Worker_Binding_CryptoKey_Usage>;
    get _isCryptoKey(): boolean;
    set cryptoKey(value: $.List<Worker_Binding_CryptoKey_Usage>);
    get _isService(): boolean;
    set service(_: true);
    get _isDurableObjectNamespace(): boolean;
    set durableObjectNamespace(_: true);
    get _isKvNamespace(): boolean;
    set kvNamespace(_: true);
    get _isR2Bucket(): boolean;
    set r2Bucket(_: true);
    get _isObsolete0(): boolean;
    set obsolete0(_: true);
    get _isQueue(): boolean;
    set queue(_: true);
    get _isAnalyticsEngine(): boolean;
    set analyticsEngine(_: true);
    get _isHyperdrive(): boolean;
    set hyperdrive(_: true);
    get _isDurableObjectClass(): boolean;
    set durableObjectClass(_: true);
    get _isWorkerdDebugPort(): boolean;
    set workerdDebugPort(_: true);
    toString(): string;
    which(): Worker_Binding_Type_Which;
}
export declare class Worker_Binding_DurableObjectNamespaceDesignator extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get className(): string;
    set className(value: string);
    get serviceName(): string;
    set serviceName(value: string);
    _adoptObsolete2(value: $.Orphan<$.Pointer>): void;
    _disownObsolete2(): $.Orphan<$.Pointer>;
    get obsolete2(): $.Pointer;
    _hasObsolete2(): boolean;
    set obsolete2(value: $.Pointer);
    toString(): string;
}
export declare const Worker_Binding_CryptoKey_Usage: {
    readonly ENCRYPT: 0;
    readonly DECRYPT: 1;
    readonly SIGN: 2;
    readonly VERIFY: 3;
    readonly DERIVE_KEY: 4;
    readonly DERIVE_BITS: 5;
    readonly WRAP_KEY: 6;
    readonly UNWRAP_KEY: 7;
};
export type Worker_Binding_CryptoKey_Usage = (typeof Worker_Binding_CryptoKey_Usage)[keyof typeof Worker_Binding_CryptoKey_Usage];
export declare const Worker_Binding_CryptoKey_Algorithm_Which: {
    readonly NAME: 0;
    readonly JSON: 1;
};
export type Worker_Binding_CryptoKey_Algorithm_Which = (typeof Worker_Binding_CryptoKey_Algorithm_Which)[keyof typeof Worker_Binding_CryptoKey_Algorithm_Which];
export declare class Worker_Binding_CryptoKey_Algorithm extends $.Struct {
    static readonly NAME: 0;
    static readonly JSON: 1;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get name(): string;
    get _isName(): boolean;
    set name(value: string);
    get json(): string;
    get _isJson(): boolean;
    set json(value: string);
    toString(): string;
    which(): Worker_Binding_CryptoKey_Algorithm_Which;
}
export declare const Worker_Binding_CryptoKey_Which: {
    readonly RAW: 0;
    readonly HEX: 1;
    readonly BASE64: 2;
    readonly PKCS8: 3;
    readonly SPKI: 4;
    readonly JWK: 5;
};
export type Worker_Binding_CryptoKey_Which = (typeof Worker_Binding_CryptoKey_Which)[keyof typeof Worker_Binding_CryptoKey_Which];
export declare class Worker_Binding_CryptoKey extends $.Struct {
    static readonly RAW: 0;
    static readonly HEX: 1;
    static readonly BASE64: 2;
    static readonly PKCS8: 3;
    static readonly SPKI: 4;
    static readonly JWK: 5;
    static readonly Usage: {
        readonly ENCRYPT: 0;
        readonly DECRYPT: 1;
        readonly SIGN: 2;
        readonly VERIFY: 3;
        readonly DERIVE_KEY: 4;
        readonly DERIVE_BITS: 5;
        readonly WRAP_KEY: 6;
        readonly UNWRAP_KEY: 7;
    };
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultExtractable: DataView<ArrayBufferLike>;
    };
    _adoptRaw(value: $.Orphan<$.Data>): void;
    _disownRaw(): $.Orphan<$.Data>;
    get raw(): $.Data;
    _hasRaw(): boolean;
    _initRaw(length: number): $.Data;
    get _isRaw(): boolean;
    set raw(value: $.Data);
    get hex(): string;
    get _isHex(): boolean;
    set hex(value: string);
    get base64(): string;
    get _isBase64(): boolean;
    set base64(value: string);
    get pkcs8(): string;
    get _isPkcs8(): boolean;
    set pkcs8(value: string);
    get spki(): string;
    get _isSpki(): boolean;
    set spki(value: string);
    get jwk(): string;
    get _isJwk(): boolean;
    set jwk(value: string);
    get algorithm(): Worker_Binding_CryptoKey_Algorithm;
    _initAlgorithm(): Worker_Binding_CryptoKey_Algorithm;
    get extractable(): boolean;
    set extractable(value: boolean);
    _adoptUsages(value: $.Orphan<$.List<Worker_Binding_CryptoKey_Usage>>): void;
    _disownUsages(): $.Orphan<$.List<Worker_Binding_CryptoKey_Usage>>;
    get usages(): $.List<Worker_Binding_CryptoKey_Usage>;
    _hasUsages(): boolean;
    _initUsages(length: number): $.List<Worker_Binding_CryptoKey_Usage>;
    set usages(value: $.List<Worker_Binding_CryptoKey_Usage>);
    toString(): string;
    which(): Worker_Binding_CryptoKey_Which;
}
export declare class Worker_Binding_MemoryCacheLimits extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get maxKeys(): number;
    set maxKeys(value: number);
    get maxValueSize(): number;
    set maxValueSize(value: number);
    get maxTotalValueSize(): bigint;
    set maxTotalValueSize(value: bigint);
    toString(): string;
}
export declare class Worker_Binding_WrappedBinding extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultEntrypoint: string;
    };
    static _InnerBindings: $.ListCtor<Worker_Binding>;
    get moduleName(): string;
    set moduleName(value: string);
    get entrypoint(): string;
    set entrypoint(value: string);
    _adoptInnerBindings(value: $.Orphan<$.List<Worker_Binding>>): void;
    _disownInnerBindings(): $.Orphan<$.List<Worker_Binding>>;
    get innerBindings(): $.List<Worker_Binding>;
    _hasInnerBindings(): boolean;
    _initInnerBindings(length: number): $.List<Worker_Binding>;
    set innerBindings(value: $.List<Worker_Binding>);
    toString(): string;
}
export declare class Worker_Binding_Parameter extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    _adoptType(value: $.Orphan<Worker_Binding_Type>): void;
    _disownType(): $.Orphan<Worker_Binding_Type>;
    get type(): Worker_Binding_Type;
    _hasType(): boolean;
    _initType(): Worker_Binding_Type;
    set type(value: Worker_Binding_Type);
    get optional(): boolean;
    set optional(value: boolean);
    toString(): string;
}
export declare class Worker_Binding_Hyperdrive extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    _adoptDesignator(value: $.Orphan<ServiceDesignator>): void;
    _disownDesignator(): $.Orphan<ServiceDesignator>;
    get designator(): ServiceDesignator;
    _hasDesignator(): boolean;
    _initDesignator(): ServiceDesignator;
    set designator(value: ServiceDesignator);
    get database(): string;
    set database(value: string);
    get user(): string;
    set user(value: string);
    get password(): string;
    set password(value: string);
    get scheme(): string;
    set scheme(value: string);
    toString(): string;
}
export declare class Worker_Binding_MemoryCache extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get id(): string;
    set id(value: string);
    _adoptLimits(value: $.Orphan<Worker_Binding_MemoryCacheLimits>): void;
    _disownLimits(): $.Orphan<Worker_Binding_MemoryCacheLimits>;
    get limits(): Worker_Binding_MemoryCacheLimits;
    _hasLimits(): boolean;
    _initLimits(): Worker_Binding_MemoryCacheLimits;
    set limits(value: Worker_Binding_MemoryCacheLimits);
    toString(): string;
}
export declare class Worker_Binding_WorkerLoader extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get id(): string;
    set id(value: string);
    toString(): string;
}
export declare const Worker_Binding_Which: {
    readonly UNSPECIFIED: 0;
    readonly PARAMETER: 1;
    readonly TEXT: 2;
    readonly DATA: 3;
    readonly JSON: 4;
    readonly WASM_MODULE: 5;
    readonly CRYPTO_KEY: 6;
    readonly SERVICE: 7;
    readonly DURABLE_OBJECT_CLASS: 19;
    readonly DURABLE_OBJECT_NAMESPACE: 8;
    readonly KV_NAMESPACE: 9;
    readonly R2BUCKET: 10;
    readonly OBSOLETE0: 11;
    readonly WRAPPED: 12;
    readonly QUEUE: 13;
    readonly FROM_ENVIRONMENT: 14;
    readonly ANALYTICS_ENGINE: 15;
    readonly HYPERDRIVE: 16;
    readonly UNSAFE_EVAL: 17;
    readonly MEMORY_CACHE: 18;
    readonly WORKER_LOADER: 20;
    readonly WORKERD_DEBUG_PORT: 21;
};
export type Worker_Binding_Which = (typeof Worker_Binding_Which)[keyof typeof Worker_Binding_Which];
export declare class Worker_Binding extends $.Struct {
    static readonly UNSPECIFIED: 0;
    static readonly PARAMETER: 1;
    static readonly TEXT: 2;
    static readonly DATA: 3;
    static readonly JSON: 4;
    static readonly WASM_MODULE: 5;
    static readonly CRYPTO_KEY: 6;
    static readonly SERVICE: 7;
    static readonly DURABLE_OBJECT_CLASS: 19;
    static readonly DURABLE_OBJECT_NAMESPACE: 8;
    static readonly KV_NAMESPACE: 9;
    static readonly R2BUCKET: 10;
    static readonly OBSOLETE0: 11;
    static readonly WRAPPED: 12;
    static readonly QUEUE: 13;
    static readonly FROM_ENVIRONMENT: 14;
    static readonly ANALYTICS_ENGINE: 15;
    static readonly HYPERDRIVE: 16;
    static readonly UNSAFE_EVAL: 17;
    static readonly MEMORY_CACHE: 18;
    static readonly WORKER_LOADER: 20;
    static readonly WORKERD_DEBUG_PORT: 21;
    static readonly Type: typeof Worker_Binding_Type;
    static readonly DurableObjectNamespaceDesignator: typeof Worker_Binding_DurableObjectNamespaceDesignator;
    static readonly CryptoKey: typeof Worker_Binding_CryptoKey;
    static readonly MemoryCacheLimits: typeof Worker_Binding_MemoryCacheLimits;
    static readonly WrappedBinding: typeof Worker_Binding_WrappedBinding;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get name(): string;
    set name(value: string);
    get _isUnspecified(): boolean;
    set unspecified(_: true);
    get parameter(): Worker_Binding_Parameter;
    _initParameter(): Worker_Binding_Parameter;
    get _isParameter(): boolean;
    set parameter(_: true);
    get text(): string;
    get _isText(): boolean;
    set text(value: string);
    _adoptData(value: $.Orphan<$.Data>): void;
    _disownData(): $.Orphan<$.Data>;
    get data(): $.Data;
    _hasData(): boolean;
    _initData(length: number): $.Data;
    get _isData(): boolean;
    set data(value: $.Data);
    get json(): string;
    get _isJson(): boolean;
    set json(value: string);
    _adoptWasmModule(value: $.Orphan<$.Data>): void;
    _disownWasmModule(): $.Orphan<$.Data>;
    get wasmModule(): $.Data;
    _hasWasmModule(): boolean;
    _initWasmModule(length: number): $.Data;
    get _isWasmModule(): boolean;
    set wasmModule(value: $.Data);
    _adoptCryptoKey(value: $.Orphan<Worker_Binding_CryptoKey>): void;
    _disownCryptoKey(): $.Orphan<Worker_Binding_CryptoKey>;
    get cryptoKey(): Worker_Binding_CryptoKey;
    _hasCryptoKey(): boolean;
    _initCryptoKey(): Worker_Binding_CryptoKey;
    get _isCryptoKey(): boolean;
    set cryptoKey(value: Worker_Binding_CryptoKey);
    _adoptService(value: $.Orphan<ServiceDesignator>): void;
    _disownService(): $.Orphan<ServiceDesignator>;
    get service(): ServiceDesignator;
    _hasService(): boolean;
    _initService(): ServiceDesignator;
    get _isService(): boolean;
    set service(value: ServiceDesignator);
    _adoptDurableObjectClass(value: $.Orphan<ServiceDesignator>): void;
    _disownDurableObjectClass(): $.Orphan<ServiceDesignator>;
    get durableObjectClass(): ServiceDesignator;
    _hasDurableObjectClass(): boolean;
    _initDurableObjectClass(): ServiceDesignator;
    get _isDurableObjectClass(): boolean;
    set durableObjectClass(value: ServiceDesignator);
    _adoptDurableObjectNamespace(value: $.Orphan<Worker_Binding_DurableObjectNamespaceDesignator>): void;
    _disownDurableObjectNamespace(): $.Orphan<Worker_Binding_DurableObjectNamespaceDesignator>;
    get durableObjectNamespace(): Worker_Binding_DurableObjectNamespaceDesignator;
    _hasDurableObjectNamespace(): boolean;
    _initDurableObjectNamespace(): Worker_Binding_DurableObjectNamespaceDesignator;
    get _isDurableObjectNamespace(): boolean;
    set durableObjectNamespace(value: Worker_Binding_DurableObjectNamespaceDesignator);
    _adoptKvNamespace(value: $.Orphan<ServiceDesignator>): void;
    _disownKvNamespace(): $.Orphan<ServiceDesignator>;
    get kvNamespace(): ServiceDesignator;
    _hasKvNamespace(): boolean;
    _initKvNamespace(): ServiceDesignator;
    get _isKvNamespace(): boolean;
    set kvNamespace(value: ServiceDesignator);
    _adoptR2Bucket(value: $.Orphan<ServiceDesignator>): void;
    _disownR2Bucket(): $.Orphan<ServiceDesignator>;
    get r2Bucket(): ServiceDesignator;
    _hasR2Bucket(): boolean;
    _initR2Bucket(): ServiceDesignator;
    get _isR2Bucket(): boolean;
    set r2Bucket(value: ServiceDesignator);
    _adoptObsolete0(value: $.Orphan<ServiceDesignator>): void;
    _disownObsolete0(): $.Orphan<ServiceDesignator>;
    get obsolete0(): ServiceDesignator;
    _hasObsolete0(): boolean;
    _initObsolete0(): ServiceDesignator;
    get _isObsolete0(): boolean;
    set obsolete0(value: ServiceDesignator);
    _adoptWrapped(value: $.Orphan<Worker_Binding_WrappedBinding>): void;
    _disownWrapped(): $.Orphan<Worker_Binding_WrappedBinding>;
    get wrapped(): Worker_Binding_WrappedBinding;
    _hasWrapped(): boolean;
    _initWrapped(): Worker_Binding_WrappedBinding;
    get _isWrapped(): boolean;
    set wrapped(value: Worker_Binding_WrappedBinding);
    _adoptQueue(value: $.Orphan<ServiceDesignator>): void;
    _disownQueue(): $.Orphan<ServiceDesignator>;
    get queue(): ServiceDesignator;
    _hasQueue(): boolean;
    _initQueue(): ServiceDesignator;
    get _isQueue(): boolean;
    set queue(value: ServiceDesignator);
    get fromEnvironment(): string;
    get _isFromEnvironment(): boolean;
    set fromEnvironment(value: string);
    _adoptAnalyticsEngine(value: $.Orphan<ServiceDesignator>): void;
    _disownAnalyticsEngine(): $.Orphan<ServiceDesignator>;
    get analyticsEngine(): ServiceDesignator;
    _hasAnalyticsEngine(): boolean;
    _initAnalyticsEngine(): ServiceDesignator;
    get _isAnalyticsEngine(): boolean;
    set analyticsEngine(value: ServiceDesignator);
    get hyperdrive(): Worker_Binding_Hyperdrive;
    _initHyperdrive(): Worker_Binding_Hyperdrive;
    get _isHyperdrive(): boolean;
    set hyperdrive(_: true);
    get _isUnsafeEval(): boolean;
    set unsafeEval(_: true);
    get memoryCache(): Worker_Binding_MemoryCache;
    _initMemoryCache(): Worker_Binding_MemoryCache;
    get _isMemoryCache(): boolean;
    set memoryCache(_: true);
    get workerLoader(): Worker_Binding_WorkerLoader;
    _initWorkerLoader(): Worker_Binding_WorkerLoader;
    get _isWorkerLoader(): boolean;
    set workerLoader(_: true);
    get _isWorkerdDebugPort(): boolean;
    set workerdDebugPort(_: true);
    toString(): string;
    which(): Worker_Binding_Which;
}
export declare class Worker_DurableObjectNamespace_ContainerOptions_NamedImage extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get name(): string;
    set name(value: string);
    get image(): string;
    set image(value: string);
    toString(): string;
}
export declare class Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges_Device extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get pathOnHost(): string;
    set pathOnHost(value: string);
    get pathInContainer(): string;
    set pathInContainer(value: string);
    get cgroupPermissions(): string;
    set cgroupPermissions(value: string);
    toString(): string;
}
export declare class Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges extends $.Struct {
    static readonly Device: typeof Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges_Device;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    static _Devices: $.ListCtor<Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges_Device>;
    _adoptCapabilities(value: $.Orphan<$.List<string>>): void;
    _disownCapabilities(): $.Orphan<$.List<string>>;
    get capabilities(): $.List<string>;
    _hasCapabilities(): boolean;
    _initCapabilities(length: number): $.List<string>;
    set capabilities(value: $.List<string>);
    _adoptDevices(value: $.Orphan<$.List<Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges_Device>>): void;
    _disownDevices(): $.Orphan<$.List<Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges_Device>>;
    get devices(): $.List<Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges_Device>;
    _hasDevices(): boolean;
    _initDevices(length: number): $.List<Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges_Device>;
    set devices(value: $.List<Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges_Device>);
    _adoptSecurityOpt(value: $.Orphan<$.List<string>>): void;
    _disownSecurityOpt(): $.Orphan<$.List<string>>;
    get securityOpt(): $.List<string>;
    _hasSecurityOpt(): boolean;
    _initSecurityOpt(length: number): $.List<string>;
    set securityOpt(value: $.List<string>);
    toString(): string;
}
export declare class Worker_DurableObjectNamespace_ContainerOptions extends $.Struct {
    static readonly NamedImage: typeof Worker_DurableObjectNamespace_ContainerOptions_NamedImage;
    static readonly ContainerPrivileges: typeof Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    static _Images: $.ListCtor<Worker_DurableObjectNamespace_ContainerOptions_NamedImage>;
    get imageName(): string;
    set imageName(value: string);
    _adoptPrivileges(value: $.Orphan<Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges>): void;
    _disownPrivileges(): $.Orphan<Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges>;
    get privileges(): Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges;
    _hasPrivileges(): boolean;
    _initPrivileges(): Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges;
    set privileges(value: Worker_DurableObjectNamespace_ContainerOptions_ContainerPrivileges);
    _adoptImages(value: $.Orphan<$.List<Worker_DurableObjectNamespace_ContainerOptions_NamedImage>>): void;
    _disownImages(): $.Orphan<$.List<Worker_DurableObjectNamespace_ContainerOptions_NamedImage>>;
    get images(): $.List<Worker_DurableObjectNamespace_ContainerOptions_NamedImage>;
    _hasImages(): boolean;
    _initImages(length: number): $.List<Worker_DurableObjectNamespace_ContainerOptions_NamedImage>;
    set images(value: $.List<Worker_DurableObjectNamespace_ContainerOptions_NamedImage>);
    toString(): string;
}
export declare const Worker_DurableObjectNamespace_Which: {
    readonly UNIQUE_KEY: 0;
    readonly EPHEMERAL_LOCAL: 1;
};
export type Worker_DurableObjectNamespace_Which = (typeof Worker_DurableObjectNamespace_Which)[keyof typeof Worker_DurableObjectNamespace_Which];
export declare class Worker_DurableObjectNamespace extends $.Struct {
    static readonly UNIQUE_KEY: 0;
    static readonly EPHEMERAL_LOCAL: 1;
    static readonly ContainerOptions: typeof Worker_DurableObjectNamespace_ContainerOptions;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get className(): string;
    set className(value: string);
    get uniqueKey(): string;
    get _isUniqueKey(): boolean;
    set uniqueKey(value: string);
    get _isEphemeralLocal(): boolean;
    set ephemeralLocal(_: true);
    get preventEviction(): boolean;
    set preventEviction(value: boolean);
    get enableSql(): boolean;
    set enableSql(value: boolean);
    _adoptContainer(value: $.Orphan<Worker_DurableObjectNamespace_ContainerOptions>): void;
    _disownContainer(): $.Orphan<Worker_DurableObjectNamespace_ContainerOptions>;
    get container(): Worker_DurableObjectNamespace_ContainerOptions;
    _hasContainer(): boolean;
    _initContainer(): Worker_DurableObjectNamespace_ContainerOptions;
    set container(value: Worker_DurableObjectNamespace_ContainerOptions);
    toString(): string;
    which(): Worker_DurableObjectNamespace_Which;
}
export declare class Worker_DockerConfiguration extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get socketPath(): string;
    set socketPath(value: string);
    get containerEgressInterceptorImage(): string;
    set containerEgressInterceptorImage(value: string);
    get sessionId(): string;
    set sessionId(value: string);
    toString(): string;
}
export declare const Worker_DurableObjectStorage_Which: {
    readonly NONE: 0;
    readonly IN_MEMORY: 1;
    readonly LOCAL_DISK: 2;
};
export type Worker_DurableObjectStorage_Which = (typeof Worker_DurableObjectStorage_Which)[keyof typeof Worker_DurableObjectStorage_Which];
export declare class Worker_DurableObjectStorage extends $.Struct {
    static readonly NONE: 0;
    static readonly IN_MEMORY: 1;
    static readonly LOCAL_DISK: 2;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get _isNone(): boolean;
    set none(_: true);
    get _isInMemory(): boolean;
    set inMemory(_: true);
    get localDisk(): string;
    get _isLocalDisk(): boolean;
    set localDisk(value: string);
    toString(): string;
    which(): Worker_DurableObjectStorage_Which;
}
export declare const Worker_ContainerEngine_Which: {
    readonly NONE: 0;
    readonly LOCAL_DOCKER: 1;
};
export type Worker_ContainerEngine_Which = (typeof Worker_ContainerEngine_Which)[keyof typeof Worker_ContainerEngine_Which];
export declare class Worker_ContainerEngine extends $.Struct {
    static readonly NONE: 0;
    static readonly LOCAL_DOCKER: 1;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get _isNone(): boolean;
    set none(_: true);
    _adoptLocalDocker(value: $.Orphan<Worker_DockerConfiguration>): void;
    _disownLocalDocker(): $.Orphan<Worker_DockerConfiguration>;
    get localDocker(): Worker_DockerConfiguration;
    _hasLocalDocker(): boolean;
    _initLocalDocker(): Worker_DockerConfiguration;
    get _isLocalDocker(): boolean;
    set localDocker(value: Worker_DockerConfiguration);
    toString(): string;
    which(): Worker_ContainerEngine_Which;
}
export declare const Worker_Which: {
    readonly MODULES: 0;
    readonly SERVICE_WORKER_SCRIPT: 1;
    readonly INHERIT: 2;
};
export type Worker_Which = (typeof Worker_Which)[keyof typeof Worker_Which];
export declare class Worker extends $.Struct {
    static readonly MODULES: 0;
    static readonly SERVICE_WORKER_SCRIPT: 1;
    static readonly INHERIT: 2;
    static readonly Module: typeof Worker_Module;
    static readonly Binding: typeof Worker_Binding;
    static readonly DurableObjectNamespace: typeof Worker_DurableObjectNamespace;
    static readonly DockerConfiguration: typeof Worker_DockerConfiguration;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultGlobalOutbound: $.Pointer<$._Pointer>;
    };
    static _Modules: $.ListCtor<Worker_Module>;
    static _Bindings: $.ListCtor<Worker_Binding>;
    static _DurableObjectNamespaces: $.ListCtor<Worker_DurableObjectNamespace>;
    static _Tails: $.ListCtor<ServiceDesignator>;
    static _StreamingTails: $.ListCtor<ServiceDesignator>;
    _adoptModules(value: $.Orphan<$.List<Worker_Module>>): void;
    _disownModules(): $.Orphan<$.List<Worker_Module>>;
    get modules(): $.List<Worker_Module>;
    _hasModules(): boolean;
    _initModules(length: number): $.List<Worker_Module>;
    get _isModules(): boolean;
    set modules(value: $.List<Worker_Module>);
    get serviceWorkerScript(): string;
    get _isServiceWorkerScript(): boolean;
    set serviceWorkerScript(value: string);
    get inherit(): string;
    get _isInherit(): boolean;
    set inherit(value: string);
    get compatibilityDate(): string;
    set compatibilityDate(value: string);
    _adoptCompatibilityFlags(value: $.Orphan<$.List<string>>): void;
    _disownCompatibilityFlags(): $.Orphan<$.List<string>>;
    get compatibilityFlags(): $.List<string>;
    _hasCompatibilityFlags(): boolean;
    _initCompatibilityFlags(length: number): $.List<string>;
    set compatibilityFlags(value: $.List<string>);
    _adoptBindings(value: $.Orphan<$.List<Worker_Binding>>): void;
    _disownBindings(): $.Orphan<$.List<Worker_Binding>>;
    get bindings(): $.List<Worker_Binding>;
    _hasBindings(): boolean;
    _initBindings(length: number): $.List<Worker_Binding>;
    set bindings(value: $.List<Worker_Binding>);
    _adoptGlobalOutbound(value: $.Orphan<ServiceDesignator>): void;
    _disownGlobalOutbound(): $.Orphan<ServiceDesignator>;
    get globalOutbound(): ServiceDesignator;
    _hasGlobalOutbound(): boolean;
    _initGlobalOutbound(): ServiceDesignator;
    set globalOutbound(value: ServiceDesignator);
    _adoptCacheApiOutbound(value: $.Orphan<ServiceDesignator>): void;
    _disownCacheApiOutbound(): $.Orphan<ServiceDesignator>;
    get cacheApiOutbound(): ServiceDesignator;
    _hasCacheApiOutbound(): boolean;
    _initCacheApiOutbound(): ServiceDesignator;
    set cacheApiOutbound(value: ServiceDesignator);
    _adoptDurableObjectNamespaces(value: $.Orphan<$.List<Worker_DurableObjectNamespace>>): void;
    _disownDurableObjectNamespaces(): $.Orphan<$.List<Worker_DurableObjectNamespace>>;
    get durableObjectNamespaces(): $.List<Worker_DurableObjectNamespace>;
    _hasDurableObjectNamespaces(): boolean;
    _initDurableObjectNamespaces(length: number): $.List<Worker_DurableObjectNamespace>;
    set durableObjectNamespaces(value: $.List<Worker_DurableObjectNamespace>);
    get durableObjectUniqueKeyModifier(): string;
    set durableObjectUniqueKeyModifier(value: string);
    get durableObjectStorage(): Worker_DurableObjectStorage;
    _initDurableObjectStorage(): Worker_DurableObjectStorage;
    get moduleFallback(): string;
    set moduleFallback(value: string);
    _adoptTails(value: $.Orphan<$.List<ServiceDesignator>>): void;
    _disownTails(): $.Orphan<$.List<ServiceDesignator>>;
    get tails(): $.List<ServiceDesignator>;
    _hasTails(): boolean;
    _initTails(length: number): $.List<ServiceDesignator>;
    set tails(value: $.List<ServiceDesignator>);
    _adoptStreamingTails(value: $.Orphan<$.List<ServiceDesignator>>): void;
    _disownStreamingTails(): $.Orphan<$.List<ServiceDesignator>>;
    get streamingTails(): $.List<ServiceDesignator>;
    _hasStreamingTails(): boolean;
    _initStreamingTails(length: number): $.List<ServiceDesignator>;
    set streamingTails(value: $.List<ServiceDesignator>);
    get containerEngine(): Worker_ContainerEngine;
    _initContainerEngine(): Worker_ContainerEngine;
    get accessBlobHeader(): string;
    set accessBlobHeader(value: string);
    _adoptAccessBindingService(value: $.Orphan<ServiceDesignator>): void;
    _disownAccessBindingService(): $.Orphan<ServiceDesignator>;
    get accessBindingService(): ServiceDesignator;
    _hasAccessBindingService(): boolean;
    _initAccessBindingService(): ServiceDesignator;
    set accessBindingService(value: ServiceDesignator);
    _adoptWorkflowsEngine(value: $.Orphan<WorkflowsEngine>): void;
    _disownWorkflowsEngine(): $.Orphan<WorkflowsEngine>;
    get workflowsEngine(): WorkflowsEngine;
    _hasWorkflowsEngine(): boolean;
    _initWorkflowsEngine(): WorkflowsEngine;
    set workflowsEngine(value: WorkflowsEngine);
    toString(): string;
    which(): Worker_Which;
}
export declare class ExternalServer_Https extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    _adoptOptions(value: $.Orphan<HttpOptions>): void;
    _disownOptions(): $.Orphan<HttpOptions>;
    get options(): HttpOptions;
    _hasOptions(): boolean;
    _initOptions(): HttpOptions;
    set options(value: HttpOptions);
    _adoptTlsOptions(value: $.Orphan<TlsOptions>): void;
    _disownTlsOptions(): $.Orphan<TlsOptions>;
    get tlsOptions(): TlsOptions;
    _hasTlsOptions(): boolean;
    _initTlsOptions(): TlsOptions;
    set tlsOptions(value: TlsOptions);
    get certificateHost(): string;
    set certificateHost(value: string);
    toString(): string;
}
export declare class ExternalServer_Tcp extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    _adoptTlsOptions(value: $.Orphan<TlsOptions>): void;
    _disownTlsOptions(): $.Orphan<TlsOptions>;
    get tlsOptions(): TlsOptions;
    _hasTlsOptions(): boolean;
    _initTlsOptions(): TlsOptions;
    set tlsOptions(value: TlsOptions);
    get certificateHost(): string;
    set certificateHost(value: string);
    toString(): string;
}
export declare const ExternalServer_Which: {
    readonly HTTP: 0;
    readonly HTTPS: 1;
    readonly TCP: 2;
};
export type ExternalServer_Which = (typeof ExternalServer_Which)[keyof typeof ExternalServer_Which];
export declare class ExternalServer extends $.Struct {
    static readonly HTTP: 0;
    static readonly HTTPS: 1;
    static readonly TCP: 2;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get address(): string;
    set address(value: string);
    _adoptHttp(value: $.Orphan<HttpOptions>): void;
    _disownHttp(): $.Orphan<HttpOptions>;
    get http(): HttpOptions;
    _hasHttp(): boolean;
    _initHttp(): HttpOptions;
    get _isHttp(): boolean;
    set http(value: HttpOptions);
    get https(): ExternalServer_Https;
    _initHttps(): ExternalServer_Https;
    get _isHttps(): boolean;
    set https(_: true);
    get tcp(): ExternalServer_Tcp;
    _initTcp(): ExternalServer_Tcp;
    get _isTcp(): boolean;
    set tcp(_: true);
    toString(): string;
    which(): ExternalServer_Which;
}
export declare class Network extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultAllow: $.Pointer<$._Pointer>;
    };
    _adoptAllow(value: $.Orphan<$.List<string>>): void;
    _disownAllow(): $.Orphan<$.List<string>>;
    get allow(): $.List<string>;
    _hasAllow(): boolean;
    _initAllow(length: number): $.List<string>;
    set allow(value: $.List<string>);
    _adoptDeny(value: $.Orphan<$.List<string>>): void;
    _disownDeny(): $.Orphan<$.List<string>>;
    get deny(): $.List<string>;
    _hasDeny(): boolean;
    _initDeny(length: number): $.List<string>;
    set deny(value: $.List<string>);
    _adoptTlsOptions(value: $.Orphan<TlsOptions>): void;
    _disownTlsOptions(): $.Orphan<TlsOptions>;
    get tlsOptions(): TlsOptions;
    _hasTlsOptions(): boolean;
    _initTlsOptions(): TlsOptions;
    set tlsOptions(value: TlsOptions);
    toString(): string;
}
export declare class DiskDirectory extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultWritable: DataView<ArrayBufferLike>;
        defaultAllowDotfiles: DataView<ArrayBufferLike>;
    };
    get path(): string;
    set path(value: string);
    get writable(): boolean;
    set writable(value: boolean);
    get allowDotfiles(): boolean;
    set allowDotfiles(value: boolean);
    toString(): string;
}
export declare const HttpOptions_Style: {
    readonly HOST: 0;
    readonly PROXY: 1;
};
export type HttpOptions_Style = (typeof HttpOptions_Style)[keyof typeof HttpOptions_Style];
export declare class HttpOptions_Header extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get name(): string;
    set name(value: string);
    get value(): string;
    set value(value: string);
    toString(): string;
}
export declare class HttpOptions extends $.Struct {
    static readonly Style: {
        readonly HOST: 0;
        readonly PROXY: 1;
    };
    static readonly Header: typeof HttpOptions_Header;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultStyle: DataView<ArrayBufferLike>;
    };
    static _InjectRequestHeaders: $.ListCtor<HttpOptions_Header>;
    static _InjectResponseHeaders: $.ListCtor<HttpOptions_Header>;
    get style(): HttpOptions_Style;
    set style(value: HttpOptions_Style);
    get forwardedProtoHeader(): string;
    set forwardedProtoHeader(value: string);
    get cfBlobHeader(): string;
    set cfBlobHeader(value: string);
    _adoptInjectRequestHeaders(value: $.Orphan<$.List<HttpOptions_Header>>): void;
    _disownInjectRequestHeaders(): $.Orphan<$.List<HttpOptions_Header>>;
    get injectRequestHeaders(): $.List<HttpOptions_Header>;
    _hasInjectRequestHeaders(): boolean;
    _initInjectRequestHeaders(length: number): $.List<HttpOptions_Header>;
    set injectRequestHeaders(value: $.List<HttpOptions_Header>);
    _adoptInjectResponseHeaders(value: $.Orphan<$.List<HttpOptions_Header>>): void;
    _disownInjectResponseHeaders(): $.Orphan<$.List<HttpOptions_Header>>;
    get injectResponseHeaders(): $.List<HttpOptions_Header>;
    _hasInjectResponseHeaders(): boolean;
    _initInjectResponseHeaders(length: number): $.List<HttpOptions_Header>;
    set injectResponseHeaders(value: $.List<HttpOptions_Header>);
    get capnpConnectHost(): string;
    set capnpConnectHost(value: string);
    toString(): string;
}
export declare class TlsOptions_Keypair extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get privateKey(): string;
    set privateKey(value: string);
    get certificateChain(): string;
    set certificateChain(value: string);
    toString(): string;
}
export declare const TlsOptions_Version: {
    readonly GOOD_DEFAULT: 0;
    readonly SSL3: 1;
    readonly TLS1DOT0: 2;
    readonly TLS1DOT1: 3;
    readonly TLS1DOT2: 4;
    readonly TLS1DOT3: 5;
};
export type TlsOptions_Version = (typeof TlsOptions_Version)[keyof typeof TlsOptions_Version];
export declare class TlsOptions extends $.Struct {
    static readonly Keypair: typeof TlsOptions_Keypair;
    static readonly Version: {
        readonly GOOD_DEFAULT: 0;
        readonly SSL3: 1;
        readonly TLS1DOT0: 2;
        readonly TLS1DOT1: 3;
        readonly TLS1DOT2: 4;
        readonly TLS1DOT3: 5;
    };
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultRequireClientCerts: DataView<ArrayBufferLike>;
        defaultTrustBrowserCas: DataView<ArrayBufferLike>;
        defaultMinVersion: DataView<ArrayBufferLike>;
    };
    _adoptKeypair(value: $.Orphan<TlsOptions_Keypair>): void;
    _disownKeypair(): $.Orphan<TlsOptions_Keypair>;
    get keypair(): TlsOptions_Keypair;
    _hasKeypair(): boolean;
    _initKeypair(): TlsOptions_Keypair;
    set keypair(value: TlsOptions_Keypair);
    get requireClientCerts(): boolean;
    set requireClientCerts(value: boolean);
    get trustBrowserCas(): boolean;
    set trustBrowserCas(value: boolean);
    _adoptTrustedCertificates(value: $.Orphan<$.List<string>>): void;
    _disownTrustedCertificates(): $.Orphan<$.List<string>>;
    get trustedCertificates(): $.List<string>;
    _hasTrustedCertificates(): boolean;
    _initTrustedCertificates(length: number): $.List<string>;
    set trustedCertificates(value: $.List<string>);
    get minVersion(): TlsOptions_Version;
    set minVersion(value: TlsOptions_Version);
    get cipherList(): string;
    set cipherList(value: string);
    toString(): string;
}
export declare class Extension_Module extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
        defaultInternal: DataView<ArrayBufferLike>;
    };
    get name(): string;
    set name(value: string);
    get internal(): boolean;
    set internal(value: boolean);
    get esModule(): string;
    set esModule(value: string);
    toString(): string;
}
export declare class Extension extends $.Struct {
    static readonly Module: typeof Extension_Module;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    static _Modules: $.ListCtor<Extension_Module>;
    _adoptModules(value: $.Orphan<$.List<Extension_Module>>): void;
    _disownModules(): $.Orphan<$.List<Extension_Module>>;
    get modules(): $.List<Extension_Module>;
    _hasModules(): boolean;
    _initModules(length: number): $.List<Extension_Module>;
    set modules(value: $.List<Extension_Module>);
    toString(): string;
}
export declare class FallbackServiceRequest_Attribute extends $.Struct {
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    get name(): string;
    set name(value: string);
    get value(): string;
    set value(value: string);
    toString(): string;
}
export declare class FallbackServiceRequest extends $.Struct {
    static readonly Attribute: typeof FallbackServiceRequest_Attribute;
    static readonly _capnp: {
        displayName: string;
        id: string;
        size: $.ObjectSize;
    };
    static _Attributes: $.ListCtor<FallbackServiceRequest_Attribute>;
    get type(): string;
    set type(value: string);
    get specifier(): string;
    set specifier(value: string);
    get rawSpecifier(): string;
    set rawSpecifier(value: string);
    get referrer(): string;
    set referrer(value: string);
    _adoptAttributes(value: $.Orphan<$.List<FallbackServiceRequest_Attribute>>): void;
    _disownAttributes(): $.Orphan<$.List<FallbackServiceRequest_Attribute>>;
    get attributes(): $.List<FallbackServiceRequest_Attribute>;
    _hasAttributes(): boolean;
    _initAttributes(length: number): $.List<FallbackServiceRequest_Attribute>;
    set attributes(value: $.List<FallbackServiceRequest_Attribute>);
    toString(): string;
}
