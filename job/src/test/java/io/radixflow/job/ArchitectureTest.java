package io.radixflow.job;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;

/** Who may know whom. A new arrow or an exception goes through an ADR. */
@AnalyzeClasses(
        packages = "io.radixflow",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureTest.WithoutTestJars.class})
class ArchitectureTest {

    /** The test jar of gpu-runtime, which a packaged build puts on the class path, holds the test kit and the tests beside it. */
    static final class WithoutTestJars implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }

    private static final String ENGINE = "io.radixflow.engine";
    private static final String LOOP = "io.radixflow.loop";
    private static final String SCHEDULE = "io.radixflow.schedule";
    private static final String CACHE = "io.radixflow.cache";
    private static final String MODEL = "io.radixflow.model";
    private static final String WEIGHTS = "io.radixflow.weights";
    private static final String TEXT = "io.radixflow.text";
    private static final String TEMPLATE = "io.radixflow.text.template";
    private static final String SAMPLE = "io.radixflow.sample";
    private static final String GRAMMAR = "io.radixflow.grammar";
    private static final String BACKEND = "io.radixflow.backend";
    private static final String BACKEND_CPU = "io.radixflow.backend.cpu";

    private static final String BACKEND_CUDA = "io.radixflow.backend.cuda";
    private static final String BACKEND_SIMULATED = "io.radixflow.backend.simulated";

    private static final String BENCH = "io.radixflow.bench";

    private static final String[] GPU_RUNTIME = {
        ENGINE,
        LOOP,
        SCHEDULE,
        CACHE,
        MODEL,
        WEIGHTS,
        TEXT,
        TEMPLATE,
        SAMPLE,
        GRAMMAR,
        BACKEND,
        BACKEND_CPU,
        BACKEND_CUDA,
        BACKEND_SIMULATED,
        BENCH
    };

    private static final String[] HOT = {
        LOOP, SCHEDULE, CACHE, SAMPLE, BACKEND, BACKEND_CPU, BACKEND_CUDA, BACKEND_SIMULATED
    };

    @ArchTest
    static final ArchRule ENGINE_KNOWS_NO_FLINK = noClasses()
            .that()
            .resideInAnyPackage(GPU_RUNTIME)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.flink..", "org.apache.kafka..", "org.apache.avro..");

    @ArchTest
    static final ArchRule ENGINE_API_KNOWS_NOBODY = arrows(ENGINE);

    @ArchTest
    static final ArchRule SCHEDULE_KNOWS_CACHE = arrows(SCHEDULE, CACHE);

    @ArchTest
    static final ArchRule CACHE_KNOWS_THE_JDK_ONLY = classes()
            .that()
            .resideInAPackage(CACHE)
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(CACHE, ENGINE, "java..", "org.jspecify..");

    @ArchTest
    static final ArchRule MODEL_KNOWS_BACKEND_AND_WEIGHTS = arrows(MODEL, BACKEND, WEIGHTS);

    @ArchTest
    static final ArchRule WEIGHTS_KNOW_NOBODY = arrows(WEIGHTS);

    @ArchTest
    static final ArchRule TEXT_KNOWS_ITS_TEMPLATES = arrows(TEXT, TEMPLATE);

    @ArchTest
    static final ArchRule TEMPLATES_KNOW_NOBODY = arrows(TEMPLATE);

    @ArchTest
    static final ArchRule SAMPLE_KNOWS_BACKEND = arrows(SAMPLE, BACKEND);

    /** Masks are over the bytes of the vocabulary (ADR 0017). */
    @ArchTest
    static final ArchRule GRAMMAR_KNOWS_TEXT = arrows(GRAMMAR, TEXT);

    @ArchTest
    static final ArchRule BACKEND_KNOWS_WEIGHTS = arrows(BACKEND, WEIGHTS);

    @ArchTest
    static final ArchRule CPU_BACKEND_KNOWS_SAMPLE = arrows(BACKEND_CPU, BACKEND, WEIGHTS, SAMPLE);

    @ArchTest
    static final ArchRule CUDA_BACKEND_KNOWS_SAMPLE = arrows(BACKEND_CUDA, BACKEND, WEIGHTS, SAMPLE);

    /** Its model has no layers that ops of the SPI could make up, so it implements {@code Model} itself (ADR 0005). */
    @ArchTest
    static final ArchRule SIMULATED_BACKEND_KNOWS_MODEL = arrows(BACKEND_SIMULATED, BACKEND, WEIGHTS, MODEL);

    @ArchTest
    static final ArchRule BENCH_KNOWS_THE_ENGINE_API = arrows(BENCH);

    @ArchTest
    static final ArchRule OPERATORS_KNOW_ENGINE_AND_SCHEMAS =
            arrows("io.radixflow.operators", LOOP, TEXT, GRAMMAR, "io.radixflow.schemas");

    @ArchTest
    static final ArchRule SCHEMAS_KNOW_NOBODY = noClasses()
            .that()
            .resideInAPackage("io.radixflow.schemas..")
            .should()
            .dependOnClassesThat(
                    resideInAPackage("io.radixflow..").and(not(resideInAPackage("io.radixflow.schemas.."))))
            .orShould()
            .dependOnClassesThat()
            .resideInAPackage("org.apache.flink..");

    @ArchTest
    static final ArchRule JOB_PACKAGES_HAVE_NO_CYCLES = SlicesRuleDefinition.slices()
            .matching("io.radixflow.job.(*)..")
            .should()
            .beFreeOfCycles();

    @ArchTest
    static final ArchRule HOT_PACKAGES_USE_NO_STREAMS = noClasses()
            .that()
            .resideInAnyPackage(HOT)
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.util.stream..");

    /** Those that load a model and the backend's constructor run once, at start, and read options that may be absent. */
    @ArchTest
    static final ArchRule HOT_PACKAGES_USE_NO_OPTIONAL = noClasses()
            .that()
            .resideInAnyPackage(HOT)
            .and()
            .haveNameNotMatching(".*\\.(Engines|DeviceDefaults|PartsLoader|SimulatedLoader|TextLoader|CpuBackend)")
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.util.Optional");

    @ArchTest
    static final ArchRule VECTOR_API_STAYS_IN_THE_CPU_BACKEND = noClasses()
            .that(not(resideInAPackage(BACKEND_CPU)))
            .should()
            .dependOnClassesThat()
            .resideInAPackage("jdk.incubator..");

    @ArchTest
    static final ArchRule NATIVE_BINDINGS_STAY_IN_THE_CUDA_BACKEND = noClasses()
            .that(not(resideInAPackage(BACKEND_CUDA)))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("jcuda..", "com.sun.jna..");

    /** Of our packages, {@code from} knows itself, the engine's API and {@code targets}, nothing else. */
    private static ArchRule arrows(String from, String... targets) {
        return noClasses()
                .that()
                .resideInAPackage(from)
                .should()
                .dependOnClassesThat(resideInAPackage("io.radixflow..")
                        .and(not(resideInAnyPackage(from, ENGINE)))
                        .and(not(resideInAnyPackage(targets))))
                .allowEmptyShould(true);
    }
}
