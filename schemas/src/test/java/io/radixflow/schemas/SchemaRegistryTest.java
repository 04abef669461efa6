package io.radixflow.schemas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.schemas.avro.CompletionRecord;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchemaRegistryTest {

    @Test
    void registersTheSchemaAsItsFileHasIt() throws Exception {
        try (StubRegistry stub = StubRegistry.start()) {
            int id = new SchemaRegistry(stub.access()).registerCompletions("answers.v1");

            assertThat(stub.requests().get(0)).startsWith("POST /subjects/answers.v1-value/versions {\"schema\":");
            String file = Files.readString(Path.of("src/main/avro/CompletionRecord.avsc"));
            assertThat(new ObjectMapper().readTree(stub.schema(id)).path("fields"))
                    .isEqualTo(new ObjectMapper()
                            .readTree(new Schema.Parser().parse(file).toString())
                            .path("fields"));
            assertThat(SchemaCompatibility.checkReaderWriterCompatibility(
                                    new Schema.Parser().parse(stub.schema(id)), CompletionRecord.getClassSchema())
                            .getType())
                    .isEqualTo(SchemaCompatibility.SchemaCompatibilityType.COMPATIBLE);
        }
    }

    @Test
    void saysWhyItIsNotRegistered() throws Exception {
        try (StubRegistry stub = StubRegistry.start()) {
            stub.fail(1, 409);
            assertThatThrownBy(() -> new SchemaRegistry(stub.access()).registerCompletions("c"))
                    .isInstanceOf(RegistryException.class)
                    .hasMessage("it does not take CompletionRecord as a version of c-value: status 409");
            stub.require("Basic x");
            assertThatThrownBy(() -> new SchemaRegistry(stub.access()).registerCompletions("c"))
                    .hasMessageEndingWith("status 401, Unauthorized");
        }
    }

    @Test
    void saysThatNobodyAnswers() throws Exception {
        StubRegistry stub = StubRegistry.start();
        stub.close();

        assertThatThrownBy(() -> new SchemaRegistry(stub.access()).registerCompletions("c"))
                .isInstanceOf(RegistryException.class)
                .hasMessageStartingWith("it does not answer: ");
    }

    @Test
    void sendsUserAndPasswordAndShowsNoPassword() throws Exception {
        try (StubRegistry stub = StubRegistry.start()) {
            stub.require("Basic " + java.util.Base64.getEncoder().encodeToString("anna:geheim:ß".getBytes(UTF_8)));
            RegistryAccess access = new RegistryAccess(stub.url() + "/", "anna", "geheim:ß");

            assertThat(new SchemaRegistry(access).registerPrompts("p")).isPositive();
            assertThat(access.toString()).isEqualTo(stub.url() + " as anna");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "ftp://x,takes an address",
        "nonsense,takes an address",
        "http://x y,takes an address",
        "http://anna:geheim@x,must hold no user and password",
    })
    void refusesWhatIsNoAddress(String url, String message) {
        assertThatThrownBy(() -> new RegistryAccess(url, null, null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message)
                .hasMessageNotContaining("geheim");
    }
}
