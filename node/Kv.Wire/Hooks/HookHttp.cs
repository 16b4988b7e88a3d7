using System.Globalization;
using System.Net.Http.Headers;

namespace Kv.Wire.Hooks;

/// <summary>
/// Calls of hooks: a POST of JSON to the address that the node's setting gives, and nowhere else: redirects are not followed, proxies of the environment not used, cookies not kept. Throws nothing.
/// </summary>
internal sealed class HookHttp : IDisposable
{
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);

    private readonly HttpClient http;
    private readonly TimeProvider time;

    public HookHttp(HookOptions options, TimeProvider time)
    {
        this.time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = options.Timeout,
            MaxResponseHeadersLength = 16,
            MaxConnectionsPerServer = options.MaxCalls + (options.Tellers * Math.Max(1, options.Endpoints.Count)),

            // A name that comes to stand for another address is found out.
            PooledConnectionLifetime = ConnectionLifetime,
            ActivityHeadersPropagator = null,
        };
        http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <param name="endpoint">Whom to call.</param>
    /// <param name="hookEvent">`precommit` or `postcommit`.</param>
    /// <param name="json">What the hook is shown.</param>
    /// <param name="longestReply">Bytes; a longer answer is none.</param>
    /// <param name="atMost">For all of it.</param>
    /// <param name="cancel">The node stops.</param>
    public async Task<HookReply> PostAsync(HookEndpoint endpoint, string hookEvent, ReadOnlyMemory<byte> json, int longestReply, TimeSpan atMost, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(atMost, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            using var content = new ReadOnlyMemoryContent(json);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, endpoint.Address) { Content = content };
            request.Headers.Add("X-Kv-Hook", hookEvent);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ends.Token);
            return await ReadAsync(response, longestReply, ends.Token) is { } body
                ? new HookReply((int)response.StatusCode, body, null)
                : HookReply.Failed(Text($"answered more than {longestReply} bytes"));
        }
        catch (OperationCanceledException)
        {
            return HookReply.Failed(cancel.IsCancellationRequested ? "was given up: the node stops" : Text($"did not answer in {atMost.TotalMilliseconds:F0} ms"));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException)
        {
            return HookReply.Failed(e is HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } known ? $"cannot be reached: {known.HttpRequestError}" : "cannot be reached");
        }
    }

    public void Dispose() => http.Dispose();

    private static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpResponseMessage response, int longest, CancellationToken cancel)
    {
        if (response.Content.Headers.ContentLength is { } length && length > longest)
        {
            return null;
        }

        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        var buffer = new byte[(int)Math.Min(response.Content.Headers.ContentLength ?? 1024, longest) + 1];
        var read = 0;
        while (await stream.ReadAsync(buffer.AsMemory(read), cancel) is > 0 and var more)
        {
            read += more;
            if (read > longest)
            {
                return null;
            }

            if (read == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min(2L * buffer.Length, longest + 1L));
            }
        }

        return buffer.AsMemory(0, read);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
