using System.Globalization;
using System.Net;
using Grpc.Net.Client;
using Kv.Client;
using Kv.Core.Objects;
using Kv.Protos.Admin.V1;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>The real executable with little memory, and clients who want more of it than there is.</summary>
public sealed class MemoryTests : IDisposable
{
    private const int Clients = 16;
    private const int Mebi = 1024 * 1024;

    private readonly string root = Directory.CreateTempSubdirectory("kv-memory-tests-").FullName;
    private readonly HttpClient http = new(new SocketsHttpHandler { MaxConnectionsPerServer = Clients });

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LargeValues_ByManyAtOnce_AreTakenOrRefused_AndNoNodeEnds()
    {
        var nodes = Enumerable.Range(1, 3).Select(Start).ToList();
        try
        {
            await Task.WhenAll(nodes.Select(node => node.ServingAsync(None)));
            using (var admin = GrpcChannel.ForAddress("http://" + nodes[0].Endpoint("admin")))
            {
                await TestCluster.FormAsync(new Admin.AdminClient(admin), [.. nodes.Skip(1).Select(node => node.Endpoint("peer"))], None);
            }

            // More than such a node takes, and what it does take but not sixteen times at once.
            var (tooLarge, large) = (new byte[50 * Mebi], new byte[8 * Mebi]);
            new Random(1).NextBytes(large);
            var refused = await OnAllAsync(nodes, (node, key) => PutAsync(node, key, tooLarge));
            Assert.All(refused, answer => Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer));

            await using (var client = await KvClusterClient.ConnectAsync(new KvClientOptions { Seeds = [nodes[0].Endpoint("grpc")] }, None))
            {
                var key = new ObjectKey("default", "large", "too large");
                var error = await Assert.ThrowsAsync<KvException>(async () => await client.PutAsync(key, new KvValue(tooLarge), cancel: None));
                Assert.Equal((KvErrorCode.ObjectTooLarge, false), (error.Code, error.IsRetryable));
                await client.PutAsync(key, new KvValue("small enough"u8.ToArray()), cancel: None);
            }

            for (var round = 0; round < 3; round++)
            {
                var written = await OnAllAsync(nodes, (node, key) => PutAsync(node, key, large));
                Assert.All(written, answer => Assert.Contains(answer, new[] { HttpStatusCode.NoContent, HttpStatusCode.ServiceUnavailable }));
                var read = await OnAllAsync(nodes, GetAsync);
                Assert.All(read, answer => Assert.Contains(answer, new[] { HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.ServiceUnavailable }));
            }

            // And one after another they are all served.
            for (var client = 0; client < Clients; client++)
            {
                var node = nodes[client % nodes.Count];
                await TestCluster.UntilAsync(async () => await PutAsync(node, client, large) == HttpStatusCode.NoContent, None);
                await TestCluster.UntilAsync(async () => await GetAsync(node, client) == HttpStatusCode.OK, None);
            }

            foreach (var node in nodes)
            {
                Assert.Equal(0, await node.TerminateAsync(None));
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException(string.Join("\n----\n", nodes.Select(node => node.Output)), e);
        }
        finally
        {
            nodes.ForEach(node => node.Dispose());
        }
    }

    public void Dispose()
    {
        http.Dispose();
        Directory.Delete(root, recursive: true);
    }

    private static Task<HttpStatusCode[]> OnAllAsync(List<NodeProcess> nodes, Func<NodeProcess, int, Task<HttpStatusCode>> request) =>
        Task.WhenAll(Enumerable.Range(0, Clients).Select(client => request(nodes[client % nodes.Count], client)));

    private async Task<HttpStatusCode> PutAsync(NodeProcess node, int key, byte[] value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, AddressOf(node, key)) { Content = new ByteArrayContent(value) };
        request.Headers.ExpectContinue = true;
        request.Content.Headers.ContentType = new("application/octet-stream");
        using var response = await http.SendAsync(request, None);
        return response.StatusCode;
    }

    private async Task<HttpStatusCode> GetAsync(NodeProcess node, int key)
    {
        using var response = await http.GetAsync(AddressOf(node, key), HttpCompletionOption.ResponseHeadersRead, None);
        await response.Content.CopyToAsync(Stream.Null, None);
        return response.StatusCode;
    }

    private static Uri AddressOf(NodeProcess node, int key) =>
        new(string.Create(CultureInfo.InvariantCulture, $"http://{node.Endpoint("riak-http")}/buckets/large/keys/{key}"));

    private NodeProcess Start(int number) => NodeProcess.Start(
        "--name",
        string.Create(CultureInfo.InvariantCulture, $"node{number}"),
        "--data",
        Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"node{number}")),
        "--grpc-port=0",
        "--peer-port=0",
        "--admin-port=0",
        "--riak-http-port=0",
        "--riak-pb-port=off",
        "--metrics-port=off",
        "--stores=8",
        "--memory-limit=512Mi");
}
