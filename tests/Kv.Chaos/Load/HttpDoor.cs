using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Kv.Chaos.Checks;
using Kv.Core.Objects;

namespace Kv.Chaos.Load;

/// <summary>Riak's HTTP, as an application behind a load balancer uses it.</summary>
internal sealed class HttpDoor(NodePicker nodes) : IKvDoor, IDataTypeDoor, IDisposable
{
    private const string ContextHeader = "X-Riak-Vclock";
    private const string IndexHeader = "X-Riak-Index-";
    private const string Objects = "keys";
    private const string DataTypes = "datatypes";

    // Names of keys and writes all begin with a small letter.
    private const string FirstTerm = "a";
    private const string LastTerm = "~";
    private static readonly string[] Transient = ["overload", "all_nodes_down", "insufficient_vnodes"];
    private readonly HttpClient http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(1) }) { Timeout = TimeSpan.FromSeconds(10) };

    public string Name => "http";

    public async Task<DoorRead> GetAsync(ObjectKey key, bool fromPrimaries)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("multipart/mixed"));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*", 0.5));
        using var response = await SendAsync(Address(Objects, key, fromPrimaries ? "&pr=quorum" : ""), request, HttpStatusCode.OK, HttpStatusCode.MultipleChoices, HttpStatusCode.NotFound);
        var context = response.Headers.TryGetValues(ContextHeader, out var values) ? values.First() : null;
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return new DoorRead(new HashSet<string>(), context);
        }

        var body = await ReadAsync(response);
        return new DoorRead(response.StatusCode == HttpStatusCode.OK && response.Content.Headers.ContentType?.MediaType != "multipart/mixed" ? [body] : Parts(response, body), context);
    }

    public async Task<string> PutAsync(ObjectKey key, DoorPut put)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "") { Content = new StringContent(put.Value, Encoding.UTF8, "text/plain") };
        AddContext(request, put.Context);
        if (IndexCheck.TermOf(key, put.Value) is { } term)
        {
            request.Headers.Add(IndexHeader + IndexCheck.Field, term);
        }

        switch (put.Condition)
        {
            case PutCondition.NothingThere:
                request.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Any);
                break;
            case PutCondition.NotModified:
                request.Headers.Add("X-Riak-If-Not-Modified", put.Context);
                break;
        }

        using var response = await SendAsync(Address(Objects, key, put.ToPrimaries ? "&pw=quorum" : ""), request, HttpStatusCode.NoContent, HttpStatusCode.OK);
        return $"{Name} at {request.RequestUri!.Host}";
    }

    public async Task DeleteAsync(ObjectKey key, string? context)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, "");
        AddContext(request, context);
        using var response = await SendAsync(Address(Objects, key), request, HttpStatusCode.NoContent, HttpStatusCode.NotFound);
    }

    /// <summary>All entries of a field of a bucket's index, and by whom they were told; of `$key` each key is its own term.</summary>
    public async Task<(IReadOnlyList<(string Term, string Key)> Shown, string By)> EntriesAsync(string type, string bucket, string field)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "");
        using var response = await SendAsync($"types/{type}/buckets/{bucket}/index/{field}/{FirstTerm}/{LastTerm}?return_terms=true&timeout=5000", request, HttpStatusCode.OK);
        using var json = JsonDocument.Parse(await ReadAsync(response));
        var shown = json.RootElement.GetProperty("results").EnumerateArray().Select(entry => entry.EnumerateObject().Single()).Select(entry => (entry.Name, entry.Value.GetString()!));
        return ([.. shown], $"{Name} at {request.RequestUri!.Host}");
    }

    public async Task<long> CountAsync(ObjectKey key)
    {
        using var json = await FetchAsync(key);
        return json?.RootElement.GetProperty("value").GetInt64() ?? 0;
    }

    public Task IncrementAsync(ObjectKey key, long amount) => UpdateAsync(key, new { increment = amount });

    public async Task<DoorRead> MembersAsync(ObjectKey key)
    {
        using var json = await FetchAsync(key);
        return json is null
            ? new DoorRead(new HashSet<string>(), null)
            : new DoorRead(json.RootElement.GetProperty("value").EnumerateArray().Select(member => member.GetString()!).ToHashSet(StringComparer.Ordinal), json.RootElement.GetProperty("context").GetString());
    }

    public Task AddAsync(ObjectKey key, string member) => UpdateAsync(key, new { add = member });

    public Task RemoveAsync(ObjectKey key, string member, string context) => UpdateAsync(key, new { remove = member, context });

    public void Dispose() => http.Dispose();

    private static void AddContext(HttpRequestMessage request, string? context)
    {
        if (context is not null)
        {
            request.Headers.Add(ContextHeader, context);
        }
    }

    /// <summary>The parts of an answer with siblings; one that was deleted says so in its headers.</summary>
    private static HashSet<string> Parts(HttpResponseMessage response, string body)
    {
        var boundary = "--" + response.Content.Headers.ContentType!.Parameters.Single(parameter => parameter.Name == "boundary").Value!.Trim('"');
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in body.Split(boundary).Skip(1).Where(part => !part.StartsWith("--", StringComparison.Ordinal)))
        {
            var headers = part.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (!part[..headers].Contains("X-Riak-Deleted", StringComparison.OrdinalIgnoreCase))
            {
                found.Add(part[(headers + 4)..].TrimEnd('\r', '\n'));
            }
        }

        return found;
    }

    private static async Task<string> ReadAsync(HttpResponseMessage response)
    {
        try
        {
            return await response.Content.ReadAsStringAsync();
        }
        catch (HttpRequestException failure)
        {
            throw new DoorException("connection broken", isRetryable: true, failure);
        }
    }

    private async Task<JsonDocument?> FetchAsync(ObjectKey key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "");
        using var response = await SendAsync(Address(DataTypes, key), request, HttpStatusCode.OK, HttpStatusCode.NotFound);
        return response.StatusCode == HttpStatusCode.NotFound ? null : JsonDocument.Parse(await ReadAsync(response));
    }

    private async Task UpdateAsync(ObjectKey key, object update)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "") { Content = new StringContent(JsonSerializer.Serialize(update), Encoding.UTF8, "application/json") };
        using var response = await SendAsync(Address(DataTypes, key), request, HttpStatusCode.NoContent, HttpStatusCode.OK);
    }

    private static string Address(string kind, ObjectKey key, string options = "") => $"types/{key.BucketType}/buckets/{Text(key.Bucket)}/{kind}/{Text(key.Key)}?timeout=5000{options}";

    private async Task<HttpResponseMessage> SendAsync(string address, HttpRequestMessage request, params HttpStatusCode[] good)
    {
        var node = nodes.Next();
        request.RequestUri = new Uri($"http://{node}/{address}");
        try
        {
            var response = await http.SendAsync(request);
            if (good.Contains(response.StatusCode))
            {
                return response;
            }

            var text = (await ReadAsync(response)).Trim().ReplaceLineEndings(" ");

            if (text.Contains("not ready", StringComparison.Ordinal))
            {
                nodes.Avoid(node);
            }

            // Riak answers 500 and the reason's name where it has no status of its own for it.
            var isRetryable = response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
                || (response.StatusCode is HttpStatusCode.InternalServerError && Transient.Any(reason => text.Contains(reason, StringComparison.Ordinal)));
            response.Dispose();
            throw new DoorException($"{(int)response.StatusCode} {(text.Length < 80 ? text : text[..80])}", isRetryable)
            {
                IsConditionUnmet = response.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.Conflict,
            };
        }
        catch (HttpRequestException failure)
        {
            nodes.Avoid(node);
            var isRefused = failure.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused };
            throw new DoorException(isRefused ? "connection refused" : "connection broken", isRetryable: true, failure);
        }
        catch (TaskCanceledException failure)
        {
            nodes.Avoid(node);
            throw new DoorException("no answer in time", isRetryable: true, failure);
        }
    }

    private static string Text(ReadOnlyMemory<byte> name) => Encoding.UTF8.GetString(name.Span);
}
