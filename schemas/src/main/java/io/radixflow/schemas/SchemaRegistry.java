package io.radixflow.schemas;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.radixflow.schemas.avro.CompletionRecord;
import io.radixflow.schemas.avro.PromptRecord;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.apache.avro.Schema;

/**
 * A client of the two calls that we need of a Confluent-style schema registry. Follows no redirects, since they would carry the
 * password elsewhere. Thread-safe.
 */
public final class SchemaRegistry {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);
    private static final int MAX_ANSWER_BYTES = 4 << 20;
    private static final int MAX_REASON_CHARS = 200;
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final int SCHEMA_NOT_FOUND = 40403; // the registry's own code; another 404 may be a wrong address
    private static final String CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
    private static final String JAVA_STRING = ",\"avro.java.string\":\"String\"";

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(CONNECT_TIMEOUT).build();
    private final RegistryAccess access;

    public SchemaRegistry(RegistryAccess access) {
        this.access = access;
    }

    /**
     * Registers the schema of our answers as the newest version of the topic's values, or finds it there.
     *
     * @return its id
     * @throws RegistryException if the registry is not there or refuses
     */
    public int registerCompletions(String topic) throws RegistryException, InterruptedException {
        return register(topic, CompletionRecord.getClassSchema());
    }

    /** Like {@link #registerCompletions} for producers of prompts. */
    public int registerPrompts(String topic) throws RegistryException, InterruptedException {
        return register(topic, PromptRecord.getClassSchema());
    }

    private int register(String topic, Schema schema) throws RegistryException, InterruptedException {
        String body =
                json.createObjectNode().put("schema", withoutJavaTypes(schema)).toString();
        Answer answer = send(request("/subjects/" + topic + "-value/versions")
                .header("Content-Type", CONTENT_TYPE)
                .POST(BodyPublishers.ofString(body)));
        JsonNode id = answer.body.path("id");
        if (answer.status != OK || !id.canConvertToInt()) {
            throw new RegistryException("it does not take " + schema.getName() + " as a version of " + topic
                    + "-value: " + answer.reason());
        }
        return id.intValue();
    }

    /** How Java holds its strings is nobody else's business. */
    private static String withoutJavaTypes(Schema schema) {
        return new Schema.Parser()
                .parse(schema.toString().replace(JAVA_STRING, ""))
                .toString();
    }

    /**
     * The schema of an id.
     *
     * @throws RecordException {@code invalid_request} if the registry has no such id, or it is none of Avro's that we read
     * @throws RegistryException if the registry is not there or refuses us
     */
    Schema schema(int id) throws RecordException, RegistryException, InterruptedException {
        Answer answer = send(request("/schemas/ids/" + id).GET());
        if (answer.status == NOT_FOUND && answer.body.path("error_code").asInt() == SCHEMA_NOT_FOUND) {
            throw RequestFields.invalid("the value's schema id " + id + " is not in the schema registry");
        }
        JsonNode text = answer.body.path("schema");
        if (answer.status != OK || !text.isTextual()) {
            throw new RegistryException("it does not give the schema of id " + id + ": " + answer.reason());
        }
        String type = answer.body.path("schemaType").asText("AVRO");
        if (!type.equals("AVRO")) {
            throw RequestFields.invalid("the value's schema id " + id + " is of type " + type + ", not AVRO");
        }
        if (!answer.body.path("references").isEmpty()) {
            throw RequestFields.invalid(
                    "the value's schema id " + id + " refers to schemas of other subjects; send one that stands alone");
        }
        return WriterSchemas.parse(id, text.textValue());
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(access.resolve(path))
                .timeout(ANSWER_TIMEOUT)
                .header("Accept", CONTENT_TYPE + ", application/json");
        String authorization = access.authorization();
        return authorization == null ? request : request.header("Authorization", authorization);
    }

    private Answer send(HttpRequest.Builder request) throws RegistryException, InterruptedException {
        try {
            HttpResponse<InputStream> response = http.send(request.build(), BodyHandlers.ofInputStream());
            try (InputStream in = response.body()) {
                byte[] body = in.readNBytes(MAX_ANSWER_BYTES + 1);
                return new Answer(response.statusCode(), parse(body));
            }
        } catch (IOException e) {
            throw new RegistryException("it does not answer: " + shown(e), e);
        }
    }

    /** Missing if it is no JSON or longer than a schema may be. */
    private JsonNode parse(byte[] body) throws IOException {
        if (body.length > MAX_ANSWER_BYTES) {
            return MissingNode.getInstance();
        }
        try {
            return json.readTree(body);
        } catch (JacksonException e) {
            return MissingNode.getInstance();
        }
    }

    private static String shown(IOException e) {
        Throwable root = e;
        while (root.getMessage() == null && root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? e.getClass().getSimpleName() : shorten(root.getMessage());
    }

    private static String shorten(String text) {
        String line = text.replaceAll("[\\p{Cntrl}\\s]+", " ");
        return line.length() <= MAX_REASON_CHARS ? line : line.substring(0, MAX_REASON_CHARS) + "...";
    }

    /** What came back; the body is missing if it was no JSON. */
    private record Answer(int status, JsonNode body) {

        String reason() {
            String said = body.path("message").asText();
            return "status " + status + (said.isEmpty() ? "" : ", " + shorten(said));
        }
    }
}
