using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PannCore.Tests.Data;

/// <summary>How the server answers one request.</summary>
/// <param name="Content">What it serves.</param>
internal sealed record ArchiveAnswer(byte[] Content)
{
    /// <summary>Whether Range is honoured.</summary>
    public bool Ranges { get; init; } = true;

    /// <summary>Whether the answer says how long it is; without, the end of the connection is the end of the content.</summary>
    public bool SaysLength { get; init; } = true;

    /// <summary>Closes the connection after so many bytes of content.</summary>
    public int CutAfter { get; init; } = int.MaxValue;

    /// <summary>Sends no more after so many bytes of content and keeps the connection open.</summary>
    public int StallAfter { get; init; } = int.MaxValue;

    /// <summary>Replaces the status line and the content.</summary>
    public string? Status { get; init; }

    /// <summary>Replaces the Content-Range of a partial answer.</summary>
    public string? ContentRange { get; init; }
}

/// <summary>An HTTP/1.1 server on the loopback interface that answers as told, request by request; the last answer repeats.</summary>
internal sealed class ArchiveServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _requests = [];
    private readonly ArchiveAnswer[] _answers;

    public ArchiveServer(params ArchiveAnswer[] answers)
    {
        _answers = answers;
        _listener.Start();
        _ = ServeAsync();
    }

    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/small.tar.gz");

    /// <summary>The Range header of each request so far, or "none".</summary>
    public IReadOnlyList<string> Ranges
    {
        get
        {
            lock (_requests)
                return [.. _requests.Select(request => request.Split("\r\n").FirstOrDefault(line => line.StartsWith("Range: ", StringComparison.OrdinalIgnoreCase))?["Range: ".Length..] ?? "none")];
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            // Not awaited: a connection that stalls must not keep the next one waiting.
            for (int n = 0; ; n++) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token), _answers[Math.Min(n, _answers.Length - 1)]);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient connection, ArchiveAnswer answer)
    {
        try
        {
            using (connection)
            {
                NetworkStream stream = connection.GetStream();
                string request = await ReadRequestAsync(stream);
                lock (_requests) _requests.Add(request);
                await AnswerAsync(stream, request, answer);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client went away or the test is over.
        }
    }

    private async Task<string> ReadRequestAsync(NetworkStream stream)
    {
        var request = new StringBuilder();
        var one = new byte[1];
        while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, _stop.Token) == 1) request.Append((char)one[0]);
        return request.ToString();
    }

    private async Task AnswerAsync(NetworkStream stream, string request, ArchiveAnswer answer)
    {
        int from = 0;
        string status = answer.Status ?? "200 OK", range = "";
        const string Asked = "Range: bytes=";
        if (answer.Ranges && answer.Status is null && request.IndexOf(Asked, StringComparison.OrdinalIgnoreCase) is >= 0 and int at)
        {
            from = int.Parse(request[(at + Asked.Length)..].Split('-')[0], System.Globalization.CultureInfo.InvariantCulture);
            status = from < answer.Content.Length ? "206 Partial Content" : "416 Range Not Satisfiable";
            range = $"Content-Range: {answer.ContentRange ?? $"bytes {from}-{answer.Content.Length - 1}/{answer.Content.Length}"}\r\n";
        }
        ReadOnlyMemory<byte> content = status[0] == '2' ? answer.Content.AsMemory(from) : default;
        string length = answer.SaysLength ? $"Content-Length: {content.Length}\r\n" : "";
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{length}{range}Content-Type: application/octet-stream\r\nConnection: close\r\n\r\n"), _stop.Token);
        int send = Math.Min(content.Length, Math.Min(answer.CutAfter, answer.StallAfter));
        await stream.WriteAsync(content[..send], _stop.Token);
        if (answer.StallAfter < content.Length) await Task.Delay(Timeout.Infinite, _stop.Token);
    }
}
